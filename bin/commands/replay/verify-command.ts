import type { Command } from 'commander';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { duration, place, repeated, withDefault } from '../../options/option-values.js';
import { run, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../connect/target.js';
import { verify } from '../../work/verify-request.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly from?: number | Date;
  readonly to?: number | Date;
  readonly grace: number;
  readonly ledger?: string;
  readonly states: boolean;
  readonly certificate?: string;
  readonly against?: string;
  readonly trust?: readonly string[];
  readonly key?: string;
}

/** `replay verify`, in the group of the commands that read the log back. */
export const addVerify = (group: Command): void => {
  const command = withTargetOptions(
    group
      .command('verify')
      .description(
        'prove that nothing was lost, doubled, reordered or changed; exit code 1 when something was',
      )
      .option('--from <place>', 'first record: a sequence, a time, or a duration ago', place('--from'))
      .option('--to <place>', 'last record: a sequence, a time, or a duration ago', place('--to'))
      .addOption(
        withDefault(
          '--grace <duration>',
          'how long a command may go without a result',
          duration('--grace'),
          '30s',
        ),
      )
      .option('--ledger <file>', 'NDJSON of what a producer outside was told is stored: must be there')
      .option('--no-states', 'do not compare snapshots with what the log gives')
      .option('--certificate <file>', 'write a signed statement of range, counts and digest')
      .option('--against <file>', 'read the range of a certificate again, and say what is not as it was')
      .option(
        '--trust <key>',
        'with --against: a public key to trust, in the place of that of --key',
        repeated,
      )
      .option('--key <file>', 'signing key, made if it is not there (default: in the data directory)'),
  ).action((options: Options) =>
    run(
      withConnection(options, (nc) => {
        const { from, to, grace, ledger, states, certificate, against, trust, key } = options;
        const range = { from, to, graceMs: grace, ledger };
        return verify({ nc, range, json: options.json === true, states, certificate, against, trust, key });
      }),
    ),
  );
  withExamples(command, [
    'tallystick replay verify',
    'tallystick replay verify --from 2h --no-states --json | jq .findings',
    'tallystick replay verify --ledger acknowledged.ndjson',
    'tallystick replay verify --certificate monday.json',
    'tallystick replay verify --against monday.json',
  ]);
};
