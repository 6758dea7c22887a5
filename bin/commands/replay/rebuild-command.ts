import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { askMasks, type RevealOptions, withReveal } from '../../connect/known-masks.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { brokerDataDir } from '../../../link/broker-data-dir.js';
import { name, waiting, withDefault } from '../../options/option-values.js';
import { check, rebuild } from '../../jobs/rebuild-modules.js';
import { runCommand, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../../link/target.js';

interface Options extends TargetOptions, RevealOptions {
  readonly json?: boolean;
  readonly check?: boolean;
  readonly timeout: number;
}

const names = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  name('MODULE')(text),
];

/** `replay rebuild`, a command of the group `replay`. */
export const addRebuild = (group: Command): void => {
  const command = withReveal(
    withTargetOptions(
      group
        .command('rebuild')
        .argument('[module...]', 'modules (default: all loaded modules)', names)
        .description(
          'fold all states from the log again; readers get the old states until the new ones are complete',
        ),
    ),
  )
    .option('--check', 'change nothing: compare the stored states with the log')
    .addOption(
      withDefault(
        '--timeout <duration>',
        'with --check: how long to wait until the snapshots reach the end of the log',
        waiting('--timeout'),
        '30s',
      ),
    )
    .action((modules: readonly string[] | undefined, options: Options) =>
      runCommand(
        withConnection(options, (nc) =>
          pipe(
            TE.Do,
            TE.bind('dataDir', () => brokerDataDir(nc)),
            TE.bind('masks', () => askMasks(nc, options, 'replay rebuild --check')),
            TE.chain(({ dataDir, masks }) => {
              const request = { nc, dataDir, names: modules ?? [], json: options.json === true, masks };
              return options.check === true ? check(request, options.timeout) : rebuild(request);
            }),
          ),
        ),
      ),
    );
  withExamples(command, [
    'tallystick replay rebuild',
    'tallystick replay rebuild accounts --json',
    'tallystick replay rebuild --check',
    'tallystick replay rebuild --check accounts --json | jq .difference',
  ]);
};
