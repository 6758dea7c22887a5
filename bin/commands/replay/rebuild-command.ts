import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { brokerDataDir } from '../../connect/data-dir.js';
import { name, waiting, withDefault } from '../../options/option-values.js';
import { check, rebuild } from '../../work/rebuild-modules.js';
import { run, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../connect/target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly check?: boolean;
  readonly timeout: number;
}

const names = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  name('MODULE')(text),
];

/** `replay rebuild`, in the group of the commands that read the log back. */
export const addRebuild = (group: Command): void => {
  const command = withTargetOptions(
    group
      .command('rebuild')
      .argument('[module...]', 'modules (default: all that are loaded)', names)
      .description('fold all states from the log again; what is there is read on until the new ones are'),
  )
    .option('--check', 'change nothing: compare what is there with what the log gives')
    .addOption(
      withDefault(
        '--timeout <duration>',
        'with --check: how long snapshots may take to reach the end of the log',
        waiting('--timeout'),
        '30s',
      ),
    )
    .action((modules: readonly string[] | undefined, options: Options) =>
      run(
        withConnection(options, (nc) =>
          pipe(
            brokerDataDir(nc),
            TE.chain((dataDir) => {
              const request = { nc, dataDir, names: modules ?? [], json: options.json === true };
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
