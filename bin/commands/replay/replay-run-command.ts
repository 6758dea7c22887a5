import { resolve } from 'node:path';
import type { Command } from 'commander';
import { left, right } from 'fp-ts/lib/Either.js';
import { condition } from '../../../replay/expression/expression.js';
import { fault } from '../../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { place, positive, waiting, withDefault } from '../../options/option-values.js';
import { type RunRequest, replayRun } from '../../work/replay-run.js';
import { orUsage, run, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../connect/target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly from?: number | Date;
  readonly until?: number;
  readonly speed: 'max' | number;
  readonly step?: boolean;
  readonly break?: RunRequest['condition'];
  readonly module?: readonly string[];
  readonly sandbox?: string;
  readonly allowEffects?: boolean;
  readonly timeout: number;
}

const SPEED = /^(\d+(?:\.\d+)?)x$/;

const speed = (text: string): 'max' | number => {
  const times = Number(SPEED.exec(text)?.[1] ?? Number.NaN);
  return orUsage(
    '--speed',
    text === 'max'
      ? right('max' as const)
      : times > 0
        ? right(times)
        : left(fault('USAGE', `${JSON.stringify(text)} is neither max nor how many times as fast: 1x, 10x`)),
  );
};

const breakAt = (text: string): RunRequest['condition'] => ({
  text,
  holds: orUsage('--break', condition(text)),
});

const dirs = (dir: string, before: readonly string[] = []): readonly string[] => [...before, resolve(dir)];

/** `replay run`, in the group of the commands that read the log back. */
export const addRun = (group: Command): void => {
  const command = withTargetOptions(
    group
      .command('run')
      .description('send recorded commands again, in a sandbox of their own, and say what is not as it was')
      .option(
        '--from <place>',
        'first record (default: the first of the log); the sandbox begins with what is before it',
        place('--from'),
      )
      .option('--until <seq>', 'last record (default: the last of the log)', positive('--until'))
      .option(
        '--speed <times>',
        '1x, 10x: at the pace at which they were recorded; max: one after the other',
        speed,
        'max',
      )
      .option('--step', 'ask before each command')
      .option(
        '--break <condition>',
        "stop where it holds for the state of an agent: 'state.balance < 0'",
        breakAt,
      )
      .option('--module <dir>', 'run this version of a module; can be repeated', dirs)
      .option(
        '--sandbox <dir>',
        'an empty directory for the sandbox, which is kept (default: a temporary one)',
      )
      .option('--allow-effects', 'run handlers too that can do more than compute and call other modules')
      .addOption(
        withDefault(
          '--timeout <duration>',
          'how long a command may take to be answered',
          waiting('--timeout'),
          '30s',
        ),
      ),
  ).action((options: Options) => {
    const {
      from,
      until,
      step,
      sandbox,
      allowEffects,
      json,
      module: modules = [],
      timeout: timeoutMs,
    } = options;
    const request: RunRequest = {
      from,
      until,
      speed: options.speed,
      step: step === true,
      condition: options.break,
      modules,
      sandbox: sandbox === undefined ? undefined : resolve(sandbox),
      allowEffects: allowEffects === true,
      timeoutMs,
      json: json === true,
    };
    return run(withConnection(options, (nc) => replayRun(nc, request)));
  });
  withExamples(command, [
    'tallystick replay run --from 17 --until 60',
    'tallystick replay run --from 2h --module ./accounts-next --json',
    "tallystick replay run --break 'state.balance < 0' --sandbox ./look",
    'tallystick replay run --from 17 --step',
    'tallystick replay run --from 10m --speed 10x --allow-effects',
  ]);
};
