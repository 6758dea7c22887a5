import { startReaper } from '../../system/processes/reaper.js';
import { startProgram } from '../../system/processes/program.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { CALL_PEERS, startCallPeers } from './call-peers.js';
import { startBrokerCallee, startRequestCallee } from './callees.js';
import { callsTable, commandsTable } from './calls-tables.js';
import type { CallerQuestions } from './caller-main.js';
import { type CommandFigures, sayCommands, sendCommands } from './commands.js';
import { COMMAND_WAYS, type CommandWay } from './sending.js';
import { callRatios } from './calls-ratios.js';
import { AGENTS, CALL_BYTES } from './deposit-calls.js';
import { startTracedCallee, TRACED } from './traced-callee.js';
import { measureCalls } from './measure-calls.js';

const IN_FLIGHT = [1, 16, 64, 256, 1_024] as const;
const SECONDS = 1.5;
const ROUNDS = 3;
const COMMANDS = 20_000;
/** What `--peers` may name: a broker with traces, and the peers. */
const COMPARED = [TRACED, ...CALL_PEERS];

export const calls: Scenario = {
  name: 'calls',
  summary:
    'durable calls at both levels, compared with core NATS requests, with the processor time of each process',
  takes: ['in-flight', 'seconds', 'commands', 'peers'],
  peers: COMPARED,
  run: async ({
    inFlight = IN_FLIGHT,
    seconds = SECONDS,
    rounds = ROUNDS,
    records: most = Number.MAX_SAFE_INTEGER,
    commands = Math.min(COMMANDS, most),
    peers = COMPARED,
    say,
  }): Promise<Report> => {
    const reaper = startReaper();
    const undo: AsyncDisposable[] = [];
    try {
      await using request = await startRequestCallee(reaper, say);
      await using os = await startBrokerCallee({ durability: 'os' }, reaper);
      await using fsync = await startBrokerCallee({ durability: 'fsync' }, reaper);
      const traced = peers.includes(TRACED) ? [await startTracedCallee(reaper)] : [];
      undo.push(...traced);
      const others = await startCallPeers(peers, reaper, say);
      undo.push(...others);
      const callees = [request, os, fsync, ...traced, ...others];
      const targets = Object.fromEntries(callees.map(({ name, target }) => [name, target]));
      const main = new URL('./caller-main.js', import.meta.url);
      await using caller = startProgram<CallerQuestions>(main, { targets }, reaper);
      const figures = await measureCalls(caller, callees, { inFlight, seconds, most, rounds, say });
      const found: { -readonly [W in CommandWay]?: CommandFigures } = {};
      for (const way of commands === 0 ? [] : COMMAND_WAYS) {
        const sent = await sendCommands(way, commands, caller, os);
        found[way] = sent;
        say(sayCommands(way, sent));
      }
      const ratios = callRatios(figures, found);
      return {
        data: {
          calls: {
            agents: AGENTS,
            payloadBytes: CALL_BYTES,
            seconds,
            rounds,
            callees: Object.fromEntries(figures),
          },
          commands: found,
          ratios,
        },
        tables: [
          ...[...figures].map(([name, each]) => callsTable(name, each)),
          ...(commands === 0 ? [] : [commandsTable(found)]),
          {
            title: 'ratios',
            heads: ['', 'measured'],
            rows: Object.entries(ratios).map(([name, value]) => [name, String(value ?? 'not measured')]),
          },
        ],
      };
    } finally {
      for (const each of undo) await each[Symbol.asyncDispose]();
      await reaper.close();
    }
  },
};
