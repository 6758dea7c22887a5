import { startProgram } from '../../system/processes/program.js';
import { startReaper } from '../../system/processes/reaper.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { CALL_PEERS, startCallPeers } from '../calls/call-peers.js';
import { BUSY, startBrokerCallee, startRequestCallee } from '../calls/callees.js';
import type { CallerQuestions } from '../calls/caller-main.js';
import { type FiguresByInFlight, measureCalls } from '../calls/measure-calls.js';
import { LOG_PEERS, type LogAbout, startLogContenders } from './log-contenders.js';
import { type LogFigures, measureLogs } from './measure-logs.js';
import { peersCharts, peersTables } from './peers-tables.js';

const ROUNDS = 3;
const CALL_SECONDS = 1.2;
const ALL_RECORDS = 30_000;

interface PeersRun {
  readonly rounds: number;
  readonly scale: number;
  readonly peers: readonly string[];
  readonly say: (line: string) => void;
}

const logsOf = async ({
  rounds,
  scale,
  peers,
  say,
}: PeersRun): Promise<readonly (readonly [LogAbout, LogFigures])[]> => {
  const reaper = startReaper();
  const contenders = await startLogContenders(peers, { reaper, say }).catch((error: unknown) => {
    reaper.close();
    throw error;
  });
  try {
    const found = await measureLogs(contenders, { rounds, scale, say });
    return contenders.map(({ name, level, isOwn, note }) => [
      { name, level, isOwn, note },
      found.get(name) as LogFigures,
    ]);
  } finally {
    for (const each of contenders) await each[Symbol.asyncDispose]();
    reaper.close();
  }
};

const callsOf = async ({
  rounds,
  scale,
  peers,
  say,
}: PeersRun): Promise<ReadonlyMap<string, FiguresByInFlight>> => {
  const reaper = startReaper();
  const undo: AsyncDisposable[] = [];
  try {
    const request = await startRequestCallee(reaper, say);
    undo.push(request);
    const os = await startBrokerCallee({ durability: 'os' }, reaper);
    undo.push(os);
    const fsync = await startBrokerCallee({ durability: 'fsync' }, reaper);
    undo.push(fsync);
    const others = await startCallPeers(peers, reaper, say);
    undo.push(...others);
    const callees = [request, os, fsync, ...others];
    const targets = Object.fromEntries(callees.map(({ name, target }) => [name, target]));
    const main = new URL('../calls/caller-main.js', import.meta.url);
    const caller = startProgram<CallerQuestions>(main, { targets }, reaper);
    undo.push(caller);
    const most = scale < 1 ? Math.max(BUSY, Math.round(20_000 * scale)) : Number.MAX_SAFE_INTEGER;
    const setting = { inFlight: [1, BUSY], seconds: CALL_SECONDS, most, rounds, say };
    return await measureCalls(caller, callees, setting);
  } finally {
    for (const each of undo.toReversed()) await each[Symbol.asyncDispose]();
    reaper.close();
  }
};

const NAMES: readonly string[] = [...LOG_PEERS, ...CALL_PEERS];

/** Logs and durable calls, next to what people use instead, in one run on one machine. */
export const peersBenchmark: Scenario = {
  name: 'peers',
  summary:
    'ingest, consume and durable calls, next to Kafka, Redis, RabbitMQ, JetStream, Restate, Temporal, DBOS, BullMQ',
  takes: ['peers'],
  peers: NAMES,
  run: async ({ rounds = ROUNDS, records = ALL_RECORDS, peers = NAMES, say }): Promise<Report> => {
    const leftOut: string[] = NAMES.filter((name) => !peers.includes(name)).map(
      (name) => `without ${name} as a peer: it is not in --peers`,
    );
    const hear = (line: string): void => {
      if (line.startsWith('without ') && !leftOut.includes(line)) leftOut.push(line);
      say(line);
    };
    const run = { rounds, scale: Math.min(1, records / ALL_RECORDS), peers, say: hear };
    const logs = await logsOf(run);
    const calls = await callsOf(run);
    return {
      data: {
        peers: {
          rounds,
          logs: Object.fromEntries(logs.map(([about, figures]) => [about.name, { ...about, ...figures }])),
          calls: Object.fromEntries(calls),
          leftOut,
        },
      },
      tables: peersTables({ logs, calls, leftOut }),
      charts: peersCharts({ logs, calls }),
    };
  },
};
