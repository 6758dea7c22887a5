import type { Command } from 'commander';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { duration, logPlace, repeated, withDefault } from '../../options/option-values.js';
import { runCommand, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../../link/target.js';
import { runVerify } from '../../jobs/verify-request.js';

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

/** `replay verify`, a command of the group `replay`. */
export const addVerify = (group: Command): void => {
  const command = withTargetOptions(
    group
      .command('verify')
      .description('prove that no record is lost, duplicated, reordered or changed; exit code 1 if one is')
      .option('--from <place>', 'first record: a sequence, a time, or a duration ago', logPlace('--from'))
      .option('--to <place>', 'last record: a sequence, a time, or a duration ago', logPlace('--to'))
      .addOption(
        withDefault(
          '--grace <duration>',
          'how long a command may go without a result',
          duration('--grace'),
          '30s',
        ),
      )
      .option('--ledger <file>', 'ledger of a producer (NDJSON): its acknowledged records must be in the log')
      .option('--no-states', 'do not compare snapshots with the log')
      .option('--certificate <file>', 'write a signed statement of range, counts and digest')
      .option('--against <file>', 'certificate to check: read its range again and report each difference')
      .option(
        '--trust <key>',
        'with --against: the public key to trust, instead of the key of --key',
        repeated,
      )
      .option(
        '--key <file>',
        'signing key; created if the file does not exist (default: in the data directory)',
      ),
  ).action((options: Options) =>
    runCommand(
      withConnection(options, (nc) => {
        const { from, to, grace, ledger, states, certificate, against, trust, key } = options;
        const range = { from, to, graceMs: grace, ledger };
        return runVerify({
          nc,
          range,
          json: options.json === true,
          states,
          certificate,
          against,
          trust,
          key,
        });
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
