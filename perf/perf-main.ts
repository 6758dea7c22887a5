/** The benchmarks: `npm run perf -- SCENARIO [--json] [--records N] [--rounds N] …`. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isLeft } from 'fp-ts/lib/Either.js';
import { toFault } from '../schemas/errors.js';
import { packageVersion } from '../system/files/package-root.js';
import { parseBytes } from '../schemas/quantity.js';
import { machine } from './bench/machine.js';
import {
  OWN_OPTIONS,
  type OwnOption,
  type Report,
  type Scenario,
  type ReportTable,
} from './bench/scenario.js';
import { SCENARIOS } from './scenarios.js';
import { formatTable } from '../text/table.js';
import { SERVER_VERSION } from '../broker/server/version.js';
import { startProfiles } from './profile/profiles.js';
import { compareRuns, comparisonTable, LEAST_ROUNDS } from './report/baseline.js';
import { keepRun } from './report/result-file.js';
import { writeSummary } from './report/results-page.js';

const LIST = SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join('\n');

const PEERS = SCENARIOS.filter(({ peers }) => peers !== undefined)
  .map(({ name, peers = [] }) => `                   ${name}: ${peers.join(', ')}`)
  .join('\n');

const HELP = `Usage: npm run perf -- SCENARIO [options]

Scenarios:
${LIST}

Options:
  --json         one JSON object on stdout, and nothing else
  --records N    records that a round handles; for lookup, lookups of a run
  --rounds N     rounds; medians are of these
  --agents N,M   lookup, agents: numbers of agents, instead of 10000,1000000
  --peers A,B    peers to measure too, or none (default: all)
${PEERS}
  --in-flight N,M  calls: calls in flight, instead of 1,16,64,256,1024
  --commands N   calls: commands to send without a wait for their results, or 0 (default: 20000)
  --seconds N    length of one measurement: calls 1.5, idle 60, soak 7200 without it
  --rate N       soak: calls a second (default: 100)
  --memory-limit SIZE  verify: what the server aims to stay below, instead of a broker's default
  --floods A,B   fairness: floods whose name has one of these parts (default: all)
  --full         adr: loads as long as the ADR asks, 25 hours and a quarter; growth: the largest
                   numbers too
  --save         keep the run in perf/results/, and write perf/results/SUMMARY.md from all runs there
  --baseline FILE  compare with a run that --save or --json has written; exit 1 if a figure is worse
                   by more than the rounds of both runs differ
  --profile DIR  write a flame graph (SVG) of each Node process and each nats-server into DIR; the figures of
                   such a run are slower ones, so it is not kept
  --help         this

Progress goes to stderr. Exit codes: 0 done; 1 a measurement failed, or a figure is worse than in the
baseline; 2 wrong usage.

Examples:
  npm run perf -- reading
  npm run --silent perf -- reading --json --records 200000 --rounds 3
  npm run perf -- lookup --agents 10000 --peers nats --rounds 1
  npm run perf -- calls
  npm run --silent perf -- calls --json --peers none --commands 0 --in-flight 1,256
  npm run perf -- idle --seconds 20
  npm run perf -- fairness --floods module
  npm run perf -- soak --rate 200 --save
  npm run perf -- verify --records 10000000 --rounds 1 --memory-limit 3GiB
  npm run perf -- ipc --save
  npm run perf -- peers --peers none --profile flames
  npm run --silent perf -- journal --json > before.json; npm run perf -- journal --baseline before.json
`;

class UsageError extends Error {}

const wholeNumber = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError(`${flag} needs a whole number from 1 on, not ${text}`);
  return Number(text);
};

const countOf = (flag: string, text: string): number => (text === '0' ? 0 : (wholeNumber(flag, text) ?? 0));

const wholeNumbers = (flag: string, text: string): readonly number[] =>
  text.split(',').flatMap((each) => wholeNumber(flag, each) ?? []);

const peersOf = ({ peers = [] }: Scenario, text: string): readonly string[] =>
  text === 'none'
    ? []
    : text.split(',').map((name) => {
        if (!peers.includes(name))
          throw new UsageError(`--peers takes none, or some of ${peers.join(', ')}, not ${name}`);
        return name;
      });

const secondsOf = (text: string): number => {
  if (!/^\d{1,4}(\.\d)?$/.test(text) || Number(text) === 0)
    throw new UsageError(`--seconds needs a number above 0, not ${text}`);
  return Number(text);
};

const sizeOf = (text: string): number => {
  const bytes = parseBytes(text);
  if (isLeft(bytes)) throw new UsageError(`--memory-limit: ${bytes.left.message}`);
  return bytes.right;
};

const readArgs = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        records: { type: 'string' },
        rounds: { type: 'string' },
        agents: { type: 'string' },
        peers: { type: 'string' },
        'in-flight': { type: 'string' },
        commands: { type: 'string' },
        seconds: { type: 'string' },
        'memory-limit': { type: 'string' },
        floods: { type: 'string' },
        full: { type: 'boolean' },
        rate: { type: 'string' },
        save: { type: 'boolean', default: false },
        baseline: { type: 'string' },
        profile: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const tableText = ({ title, heads, rows }: ReportTable): string =>
  [
    title,
    ...formatTable(heads, rows)
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');

const versions = (): Readonly<Record<string, string>> => ({
  tallystick: packageVersion(),
  node: process.version.slice(1),
  'nats-server': SERVER_VERSION,
});

/** The data of an earlier run of this scenario, as `--save` or `--json` wrote it. */
const readBaseline = (path: string, name: string): unknown => {
  let run: { readonly scenario?: unknown; readonly data?: unknown };
  try {
    run = JSON.parse(readFileSync(path, 'utf8')) as typeof run;
  } catch (error) {
    throw new UsageError(`--baseline: ${(error as Error).message}`);
  }
  if (run.scenario !== name) throw new UsageError(`--baseline has a run of ${run.scenario}, not of ${name}`);
  return run.data ?? run;
};

/** What it compared, and whether a figure is worse. */
const withBaseline = (report: Report, before: unknown): readonly [Report, boolean] => {
  const all = compareRuns(before, report.data);
  if (all.length === 0)
    throw new Error(`the baseline has no figure in common with this run that has ${LEAST_ROUNDS} rounds`);
  return [
    { ...report, data: { ...report.data, baseline: all }, tables: [...report.tables, comparisonTable(all)] },
    all.some(({ verdict }) => verdict === 'worse'),
  ];
};

const print = (name: string, { data, tables }: Report, json: boolean): void => {
  const on = machine();
  if (json) {
    process.stdout.write(`${JSON.stringify({ scenario: name, machine: on, ...data })}\n`);
    return;
  }
  const where = `${on.cpus} × ${on.model}, ${on.system}, node ${on.node}`;
  process.stdout.write(`${[where, ...tables.map(tableText)].join('\n\n')}\n`);
};

const refuseUnless = (
  { name, takes = [] }: Scenario,
  option: OwnOption,
  value: string | boolean | undefined,
): void => {
  if (value !== undefined && !takes.includes(option))
    throw new UsageError(`${name} has no use for --${option}`);
};

const main = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = readArgs(args);
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new UsageError('one scenario is needed');
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new UsageError(`there is no scenario ${name}`);
  const records = wholeNumber('--records', values.records);
  const rounds = wholeNumber('--rounds', values.rounds);
  for (const option of OWN_OPTIONS) refuseUnless(scenario, option, values[option]);
  if (values.profile !== undefined && (values.save || values.baseline !== undefined))
    throw new UsageError('a run with --profile is slower: it goes with neither --save nor --baseline');
  const before = values.baseline === undefined ? undefined : readBaseline(values.baseline, name);
  const begun = performance.now();
  const profiles = values.profile === undefined ? undefined : await startProfiles(values.profile);
  const running = scenario.run({
    ...(records === undefined ? {} : { records }),
    ...(rounds === undefined ? {} : { rounds }),
    ...(values.agents === undefined ? {} : { agents: wholeNumbers('--agents', values.agents) }),
    ...(values.peers === undefined ? {} : { peers: peersOf(scenario, values.peers) }),
    ...(values['in-flight'] === undefined
      ? {}
      : { inFlight: wholeNumbers('--in-flight', values['in-flight']) }),
    ...(values.commands === undefined ? {} : { commands: countOf('--commands', values.commands) }),
    ...(values.seconds === undefined ? {} : { seconds: secondsOf(values.seconds) }),
    ...(values['memory-limit'] === undefined ? {} : { memoryLimitBytes: sizeOf(values['memory-limit']) }),
    ...(values.full === undefined ? {} : { full: values.full }),
    ...(values.rate === undefined ? {} : { rate: Number(wholeNumber('--rate', values.rate)) }),
    ...(values.floods === undefined ? {} : { floods: values.floods.split(',') }),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  // A run that fails has its pictures too: they may say why.
  const measured = await running.catch(async (error: unknown) => {
    await profiles?.end();
    throw error;
  });
  const found =
    profiles === undefined ? measured : { ...measured, tables: [...measured.tables, await profiles.end()] };
  const [report, isWorse] = before === undefined ? [found, false] : withBaseline(found, before);
  print(name, report, values.json);
  if (values.save) {
    const { data, tables, charts = [] } = found;
    const path = keepRun({
      scenario: name,
      time: new Date().toISOString(),
      machine: machine(),
      versions: versions(),
      options: args.filter((arg) => arg !== name && arg !== '--save' && arg !== '--json'),
      seconds: (performance.now() - begun) / 1_000,
      data,
      tables,
      charts,
    });
    writeSummary();
    process.stderr.write(`kept in ${path}\n`);
  }
  return isWorse ? 1 : 0;
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`perf: ${error.message}\nScenarios:\n${LIST}\n`);
    process.exitCode = 2;
  } else {
    const { code, message } = toFault(error);
    process.stderr.write(`perf: ${code}: ${message}\n`);
    process.exitCode = 1;
  }
}
