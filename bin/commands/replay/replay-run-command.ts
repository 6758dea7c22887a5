import { resolve } from 'node:path';
import type { Command } from 'commander';
import { left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { askMasks, type RevealOptions, withReveal } from '../../connect/known-masks.js';
import { condition } from '../../../replay/expression/expression.js';
import { fault } from '../../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { logPlace, positive, waiting, withDefault } from '../../options/option-values.js';
import { type RunRequest, replayRun } from '../../jobs/replay-run.js';
import { orUsage, runCommand, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../../link/target.js';

interface Options extends TargetOptions, RevealOptions {
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
        : left(
            fault('USAGE', `${JSON.stringify(text)} is no speed: give max, or a factor such as 1x or 10x`),
          ),
  );
};

const breakAt = (text: string): RunRequest['condition'] => ({
  text,
  holds: orUsage('--break', condition(text)),
});

const sources = (named: string, before: readonly string[] = []): readonly string[] => [...before, named];

/** `replay run`, a command of the group `replay`. */
export const addRun = (group: Command): void => {
  const command = withReveal(
    withTargetOptions(
      group
        .command('run')
        .description('send recorded commands again in a sandbox, and print the results that differ')
        .option(
          '--from <place>',
          'first record (default: the first of the log); the sandbox starts with the records before it',
          logPlace('--from'),
        )
        .option('--until <seq>', 'last record (default: the last of the log)', positive('--until'))
        .option(
          '--speed <times>',
          '1x is the recorded pace, 10x is ten times as fast, max sends one after the other',
          speed,
          'max',
        )
        .option('--step', 'ask before each command')
        .option(
          '--break <condition>',
          "stop when the expression holds for the state of an agent: 'state.balance < 0'",
          breakAt,
        )
        .option(
          '--module <path>',
          'source file, directory or package of another version of a module; you can repeat the option',
          sources,
        )
        .option('--sandbox <dir>', 'empty directory for the sandbox, which stays (default: a temporary one)')
        .option('--allow-effects', 'also run handlers that can reach more than other modules')
        .addOption(
          withDefault(
            '--timeout <duration>',
            'how long a command may wait for its result',
            waiting('--timeout'),
            '30s',
          ),
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
    const request: Omit<RunRequest, 'masks'> = {
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
    return runCommand(
      withConnection(options, (nc) =>
        pipe(
          askMasks(nc, options, 'replay run'),
          TE.chain((masks) => replayRun(nc, { ...request, masks })),
        ),
      ),
    );
  });
  withExamples(command, [
    'tallystick replay run --from 17 --until 60',
    'tallystick replay run --from 2h --module ./accounts-next --json',
    "tallystick replay run --break 'state.balance < 0' --sandbox ./look",
    'tallystick replay run --from 17 --step',
    'tallystick replay run --from 10m --speed 10x --allow-effects',
  ]);
};
