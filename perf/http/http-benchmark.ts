import { connect } from 'nats';
import { startProgram, type Program } from '../../system/processes/program.js';
import { startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { mergedTimes, type Times } from '../bench/histogram.js';
import { type Measured, measured } from '../bench/rounds.js';
import type { Report, Scenario } from '../bench/scenario.js';
import type { ConstantQuestions } from './constant-main.js';
import type { HttpAsked, HttpCallerQuestions, HttpRun, NatsAsked } from './http-caller-main.js';
import { measureScrape, type Scrape } from './scrape.js';

const CONNECTIONS = [1, 10, 100] as const;
const SECONDS = 2;
/** A window of the scrape is so many times as long as a measurement. */
const SCRAPE_FACTOR = 5;
const ROUNDS = 3;
const AGENTS = 100;
const DEPOSIT = '{"amount":1}';
const TIMEOUT_MS = 30_000;

const agents = Array.from({ length: AGENTS }, (_, i) => `agent-${i}`);

type HttpLoad = { readonly connections: number; readonly seconds: number };

interface Row {
  readonly name: string;
  readonly run: (load: HttpLoad) => Promise<HttpRun>;
}

interface RowFigures {
  readonly perSecond: Measured;
  readonly times: Times;
}

type HttpFigures = Readonly<Record<string, Readonly<Record<number, RowFigures>>>>;

/** Each agent has a state from its first deposit on. */
const makeAgents = async (url: string): Promise<void> => {
  const nc = await connect({ servers: url });
  for (const agent of agents)
    await nc.request(`call.accounts.deposit.${agent}`, DEPOSIT, { timeout: TIMEOUT_MS });
  await nc.close();
};

const rowsOf = (caller: Program<HttpCallerQuestions>, constant: string, http: string): readonly Row[] => {
  const over = (name: string, asked: Omit<HttpAsked, keyof HttpLoad>): Row => ({
    name,
    run: (load) => caller.ask('http', { ...asked, ...load }),
  });
  const byNats = (name: string, asked: Omit<NatsAsked, keyof HttpLoad>): Row => ({
    name,
    run: (load) => caller.ask('nats', { ...asked, ...load }),
  });
  const post = (what: string) => ({
    url: http,
    method: 'POST' as const,
    paths: agents.map((agent) => `/v1/${what}/accounts/deposit/${agent}`),
    body: DEPOSIT,
  });
  return [
    // As many requests as in the other rows: to pick the next one costs the sender time.
    over('a constant, Fastify', { url: constant, method: 'GET', paths: agents.map(() => '/constant') }),
    over('a state, HTTP', {
      url: http,
      method: 'GET',
      paths: agents.map((agent) => `/v1/agents/accounts/${agent}`),
    }),
    byNats('a state, NATS', { subjects: agents.map((agent) => `state.accounts.${agent}`), body: '' }),
    over('a call, HTTP', post('calls')),
    byNats('a call, NATS', {
      subjects: agents.map((agent) => `call.accounts.deposit.${agent}`),
      body: DEPOSIT,
    }),
    over('a command, HTTP', post('commands')),
    byNats('a command, NATS', {
      subjects: agents.map((agent) => `cmd.accounts.deposit.${agent}`),
      body: DEPOSIT,
    }),
  ];
};

const measureRows = async (
  rows: readonly Row[],
  {
    rounds,
    seconds,
    say,
  }: { readonly rounds: number; readonly seconds: number; readonly say: (line: string) => void },
): Promise<HttpFigures> => {
  const found: Record<string, Record<number, HttpRun[]>> = Object.fromEntries(
    rows.map(({ name }) => [name, Object.fromEntries(CONNECTIONS.map((count) => [count, []]))]),
  );
  // All agents exist then, and the code of all processes is compiled.
  for (const { run } of rows) await run({ connections: 10, seconds });
  for (let round = 1; round <= rounds; round++)
    for (const connections of CONNECTIONS)
      for (const { name, run } of rows) {
        const sample = await run({ connections, seconds });
        found[name]?.[connections]?.push(sample);
        say(
          `round ${round} of ${rounds}, ${connections} connections: ${name}: ${formatNumber(sample.perSecond)}/s, p50 ${formatNumber(sample.times.p50Us)} us`,
        );
      }
  return Object.fromEntries(
    Object.entries(found).map(([name, byCount]) => [
      name,
      Object.fromEntries(
        Object.entries(byCount).map(([count, runs]) => [
          count,
          {
            perSecond: measured(runs.map(({ perSecond }) => perSecond)),
            times: mergedTimes(runs.map(({ times }) => times)),
          },
        ]),
      ),
    ]),
  );
};

const ratiosOf = (figures: HttpFigures, scrape: Scrape) => {
  const of = (name: string, connections: number): RowFigures => figures[name]?.[connections] as RowFigures;
  const overConstant = (connections: number): number =>
    of('a state, HTTP', connections).perSecond.median /
    of('a constant, Fastify', connections).perSecond.median;
  return {
    stateOverConstant1: overConstant(1),
    stateOverConstant10: overConstant(10),
    stateOverConstant100: overConstant(100),
    callP50OverNats: of('a call, HTTP', 1).times.p50Us / of('a call, NATS', 1).times.p50Us,
    scrapeCores: scrape.cores,
  };
};

/** The HTTP API, compared with a constant route and with the same over NATS. */
export const httpBenchmark: Scenario = {
  name: 'http',
  summary: 'states, calls and commands over HTTP, compared with a constant route and with the same over NATS',
  takes: ['seconds'],
  run: async ({ rounds = ROUNDS, seconds = SECONDS, say }): Promise<Report> => {
    const reaper = startReaper();
    try {
      await using dir = await makeBenchDir();
      await using broker = await startBenchBroker(dir.path, reaper);
      if (broker.http === null) throw new Error('the broker serves no HTTP');
      const setting = { nats: broker.url };
      await using caller = startProgram<HttpCallerQuestions>(
        new URL('./http-caller-main.js', import.meta.url),
        setting,
        reaper,
      );
      await makeAgents(broker.url);
      const body = await (await fetch(`${broker.http}/v1/agents/accounts/${agents[0]}`)).text();
      await using constant = startProgram<ConstantQuestions>(
        new URL('./constant-main.js', import.meta.url),
        { body },
        reaper,
      );
      const rows = rowsOf(caller, await constant.ask('url', null), broker.http);
      const figures = await measureRows(rows, { rounds, seconds, say });
      const scrape = await measureScrape(dir.path, broker.http, say, seconds * SCRAPE_FACTOR);
      const ratios = ratiosOf(figures, scrape);
      return {
        data: { http: { bodyBytes: body.length, figures, scrape }, ratios },
        tables: [
          ...CONNECTIONS.map((connections) => ({
            title: `${connections} connections, ${rounds} rounds of ${seconds} s; an answer of a state has ${body.length} bytes`,
            heads: ['', 'per second', 'least', 'most', 'p50 us', 'p99 us'],
            rows: Object.entries(figures).map(([name, byCount]) => {
              const { perSecond, times } = byCount[connections] as RowFigures;
              const values = [perSecond.median, perSecond.min, perSecond.max, times.p50Us, times.p99Us];
              return [name, ...values.map((value) => formatNumber(value))];
            }),
          })),
          {
            title: `a scrape of /metrics each second, ${formatNumber(scrape.bytes)} bytes; medians of ${scrape.pairs.length} pairs of ${scrape.seconds} s`,
            heads: ['', '% of a core'],
            rows: [
              ['without', (scrape.without * 100).toFixed(2)],
              ['with', (scrape.with * 100).toFixed(2)],
              ['the scrape', (scrape.cores * 100).toFixed(2)],
            ],
          },
          {
            title: 'ratios',
            heads: ['', 'measured', 'goal'],
            rows: [
              ['state over constant, 1 connection', ratios.stateOverConstant1.toFixed(2), 'at least 0.8'],
              ['state over constant, 10 connections', ratios.stateOverConstant10.toFixed(2), 'at least 0.8'],
              [
                'state over constant, 100 connections',
                ratios.stateOverConstant100.toFixed(2),
                'at least 0.8',
              ],
              ['p50 of a call over NATS, 1 connection', ratios.callP50OverNats.toFixed(2), 'at most 1.25'],
              ['cores of a scrape each second', ratios.scrapeCores.toFixed(4), 'at most 0.01'],
            ],
          },
        ],
      };
    } finally {
      await reaper.close();
    }
  },
};
