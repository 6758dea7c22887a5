import type { Command } from 'commander';
import { left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { parseFaultPlan, type PlannedFault } from '../../perf/burst/fault-plan.js';
import type { LoadKind } from '../../perf/burst/setting.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { DURABILITIES, type Durability } from '../../schemas/log.js';
import { burstTest } from '../jobs/run-bursts.js';
import { installationOf } from '../connect/burst-target.js';
import type { ExitCode } from '../output/exit.js';
import { oneOf, positive } from '../options/option-values.js';
import { orUsage, runCommand, withExamples } from '../output/run-command.js';

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
  readonly moments?: boolean;
  readonly json?: boolean;
}

/** The default rates, in records a second: for events, and for commands that a module handles. */
const DEFAULT_RATES = { events: 100_000, calls: 2_000 } satisfies Record<LoadKind, number>;
const DEFAULT_BASELINES = { events: 1_000, calls: 200 } satisfies Record<LoadKind, number>;

const plan = (text: string): readonly PlannedFault[] => orUsage('--kill', parseFaultPlan(text));

/** The reason why two options exclude each other. */
const contradiction = (options: Options): string | undefined => {
  const isElsewhere = options.server !== undefined || options.data !== undefined;
  const late = options.kill?.find(({ atSeconds }) => atSeconds >= options.seconds + options.baselineSeconds);
  if (late !== undefined)
    return `--kill ${late.what}@${late.atSeconds}: the load has ended before that second`;
  if (isElsewhere && options.durability !== undefined)
    return 'the broker that --server or --data names has its own --durability; leave the option out';
  if (isElsewhere && options.kill?.some(({ what }) => what === 'broker'))
    return '--kill broker needs a broker that this command starts; leave --server and --data out';
  if (isElsewhere && options.runs > 1)
    return '--runs starts a new broker for each run; leave --server and --data out';
  if (!isElsewhere && options.trustedKey !== undefined)
    return '--trusted-key needs a broker that --server or --data names';
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
      moments: options.moments === true,
      on: isElsewhere ? installationOf(target, kind) : undefined,
    })();
  };

export const addBurst = (program: Command): void => {
  const command = program
    .command('burst')
    .description(
      'run the burst-loss test: send at a fixed rate, kill the named processes, and prove from the log that ' +
        'no acknowledged record is lost, duplicated or out of order; starts a broker unless you name one',
    )
    .option(
      '--rate <n>',
      'records a second during the burst (default: 100000; with --calls 2000)',
      positive('--rate'),
    )
    .option('--seconds <n>', 'length of the burst', positive('--seconds'), 10)
    .option(
      '--baseline <n>',
      'records a second before and after the burst (default: 1000; with --calls 200)',
      positive('--baseline'),
    )
    .option(
      '--baseline-seconds <n>',
      'length of each phase before and after the burst',
      positive('--baseline-seconds'),
      3,
    )
    .option('--size <bytes>', 'size of a payload', positive('--size'), 256)
    .option('--agents <n>', 'agents that receive the records', positive('--agents'), 10_000)
    .option('--producers <n>', 'producer processes', positive('--producers'), 2)
    .addOption(
      oneOf('--durability <level>', 'durability of the broker that it starts (default: fsync)', DURABILITIES),
    )
    .option('--calls', 'send commands to a module, not events')
    .option(
      '--kill <plan>',
      'kill -9 at this second of the burst: module@3,server@6,broker@8,producer@9',
      plan,
    )
    .option('--runs <n>', 'number of runs, each on a new broker', positive('--runs'), 1)
    .option(
      '--max-recovery <seconds>',
      'time limit from the end of the burst to the last delivery',
      positive('--max-recovery'),
      5,
    )
    .option('--data <dir>', 'data directory of a running broker to test')
    .option('--server <url>', 'NATS server of a running broker to test')
    .option('--creds <file>', "the operator's credential for that broker")
    .option('--trusted-key <file>', 'seed of the nkey that this broker trusts with events of burst')
    .option('--picture <file>', 'draw rate, backlog and latency over time, as SVG')
    .option(
      '--keep <dir>',
      "keep the run's files: data directory, broker output, ledger of acknowledged records",
    )
    .option('--moments', 'print how the load stands as it runs, as JSON on stderr')
    .option('--json', 'print one JSON object for each run')
    .action((options: Options) => runCommand(burst(options)));
  withExamples(command, [
    'tallystick burst --durability os',
    'tallystick burst --durability os --kill module@3,server@6 --picture burst.svg',
    'tallystick burst --calls --rate 3000 --seconds 20',
    'tallystick burst --rate 20000 --kill producer@2,broker@5 --runs 20 --json --max-recovery 30',
    'tallystick burst --calls --data ./.tallystick --rate 500',
  ]);
};
