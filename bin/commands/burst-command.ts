import type { Command } from 'commander';
import { left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { parseFaultPlan, type PlannedFault } from '../../perf/burst/fault-plan.js';
import type { LoadKind } from '../../perf/burst/setting.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { DURABILITIES, type Durability } from '../../schemas/log.js';
import { burstTest } from '../work/run-bursts.js';
import { installationOf } from '../connect/burst-target.js';
import type { ExitCode } from '../output/exit.js';
import { positive } from '../options/option-values.js';
import { orUsage, run, withExamples } from '../output/run-command.js';

interface Options {
  readonly baseline?: number;
  readonly rate?: number;
  readonly seconds: number;
  readonly baselineSeconds: number;
  readonly size: number;
  readonly agents: number;
  readonly producers: number;
  readonly durability?: Durability;
  readonly calls?: boolean;
  readonly kill?: readonly PlannedFault[];
  readonly runs: number;
  readonly maxRecovery: number;
  readonly server?: string;
  readonly data?: string;
  readonly creds?: string;
  readonly trustedKey?: string;
  readonly picture?: string;
  readonly keep?: string;
  readonly json?: boolean;
}

/** Records a second where none are given: what is asked of events, and what a module may be asked to answer. */
const DEFAULT_RATES = { events: 100_000, calls: 2_000 } satisfies Record<LoadKind, number>;
const DEFAULT_BASELINES = { events: 1_000, calls: 200 } satisfies Record<LoadKind, number>;

const durability = (text: string): Durability =>
  orUsage(
    '--durability',
    DURABILITIES.some((level) => level === text)
      ? right(text as Durability)
      : left(fault('USAGE', `${JSON.stringify(text)} is none of ${DURABILITIES.join(', ')}`)),
  );

const plan = (text: string): readonly PlannedFault[] => orUsage('--kill', parseFaultPlan(text));

/** What cannot be had together, in words. */
const contradiction = (options: Options): string | undefined => {
  const isElsewhere = options.server !== undefined || options.data !== undefined;
  const late = options.kill?.find(({ atSeconds }) => atSeconds >= options.seconds + options.baselineSeconds);
  if (late !== undefined) return `--kill ${late.what}@${late.atSeconds}: the load is over by then`;
  if (isElsewhere && options.durability !== undefined)
    return '--durability is that of the broker that --server or --data names';
  if (isElsewhere && options.kill?.some(({ what }) => what === 'broker'))
    return '--kill broker is for a broker that this command starts, and starts again';
  if (isElsewhere && options.runs > 1) return '--runs is for brokers of its own, one for each run';
  if (!isElsewhere && options.trustedKey !== undefined)
    return '--trusted-key is for a broker that --server or --data names';
  return undefined;
};

const burst =
  (options: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    const problem = contradiction(options);
    if (problem !== undefined) return left(fault('USAGE', problem));
    const kind: LoadKind = options.calls === true ? 'calls' : 'events';
    const { server, data, creds, trustedKey, agents, producers, size, runs, keep, picture } = options;
    const isElsewhere = server !== undefined || data !== undefined;
    const target = {
      ...(server === undefined ? {} : { server }),
      ...(data === undefined ? {} : { data }),
      ...(creds === undefined ? {} : { creds }),
      ...(trustedKey === undefined ? {} : { trusted: trustedKey }),
    };
    return burstTest({
      ...{ kind, agents, producers, size, runs, keep, picture },
      rates: {
        baseline: options.baseline ?? DEFAULT_BASELINES[kind],
        rate: options.rate ?? DEFAULT_RATES[kind],
        seconds: options.seconds,
        baselineSeconds: options.baselineSeconds,
      },
      faults: options.kill ?? [],
      maxRecoverySeconds: options.maxRecovery,
      durability: options.durability ?? 'fsync',
      json: options.json === true,
      on: isElsewhere ? installationOf(target, kind) : undefined,
    })();
  };

export const addBurst = (program: Command): void => {
  const command = program
    .command('burst')
    .description(
      'the burst-loss test: send at a fixed rate, whatever happens, kill what is named, and prove from the log that ' +
        'nothing acknowledged is lost, doubled or out of order; on a broker of its own, unless one is named',
    )
    .option(
      '--rate <n>',
      'records a second during the burst (default: 100000; with --calls 2000)',
      positive('--rate'),
    )
    .option('--seconds <n>', 'of the burst', positive('--seconds'), 10)
    .option(
      '--baseline <n>',
      'records a second before and after (default: 1000; with --calls 200)',
      positive('--baseline'),
    )
    .option('--baseline-seconds <n>', 'of each of the two', positive('--baseline-seconds'), 3)
    .option('--size <bytes>', 'of a payload', positive('--size'), 256)
    .option('--agents <n>', 'that the records go to', positive('--agents'), 10_000)
    .option('--producers <n>', 'processes that send', positive('--producers'), 2)
    .option('--durability <level>', 'of its own broker: fsync or os (default: fsync)', durability)
    .option('--calls', 'send commands, which a module answers, in the place of events')
    .option('--kill <plan>', 'kill -9, seconds into the burst: module@3,server@6,broker@8,producer@9', plan)
    .option('--runs <n>', 'so many runs, each on a broker of its own', positive('--runs'), 1)
    .option(
      '--max-recovery <seconds>',
      'until all is delivered behind the burst',
      positive('--max-recovery'),
      5,
    )
    .option('--data <dir>', 'data directory of a broker to run on')
    .option('--server <url>', 'a NATS server whose broker to run on')
    .option('--creds <file>', "operator's credential there")
    .option(
      '--trusted-key <file>',
      'seed of the nkey that this broker was told to trust with events of burst',
    )
    .option('--picture <file>', 'draw rate, backlog and latency over time, as SVG')
    .option('--keep <dir>', "keep the run's files there: data directory, broker's log, what was acknowledged")
    .option('--json', 'print one JSON object for each run')
    .action((options: Options) => run(burst(options)));
  withExamples(command, [
    'tallystick burst --durability os',
    'tallystick burst --durability os --kill module@3,server@6 --picture burst.svg',
    'tallystick burst --calls --rate 3000 --seconds 20',
    'tallystick burst --rate 20000 --kill producer@2,broker@5 --runs 20 --json --max-recovery 30',
    'tallystick burst --calls --data ./.tallystick --rate 500',
  ]);
};
