import type { Command } from 'commander';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { AuditLine } from '../../schemas/audit-record.js';
import type { Fault } from '../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { endOfAudit, followAudit, newestAudit } from '../jobs/audit-records.js';
import { agoOrTime, name, positive, withDefault } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { printLine } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { auditLineText } from '../text/audit-text.js';
import type { ShowOptions } from '../text/show-reply.js';

interface Options extends ShowOptions {
  readonly principal?: string;
  readonly kind?: string;
  readonly since?: Date;
  readonly limit: number;
  readonly follow?: boolean;
}

const list = (options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const { principal, kind, since, limit, follow, json } = options;
    const filter = {
      ...(principal === undefined ? {} : { principal }),
      ...(kind === undefined ? {} : { kind }),
      ...(since === undefined ? {} : { since: since.toISOString() }),
    };
    const show = (line: AuditLine): Promise<void> =>
      printLine(json === true ? JSON.stringify(line) : auditLineText(line));
    // Asked first: a record that comes while the newest are read is shown once.
    const end = await endOfAudit(nc);
    if (isLeft(end)) return end;
    const newest = await newestAudit(nc, filter, limit);
    if (isLeft(newest)) return newest;
    for (const line of newest.right) await show(line);
    if (follow !== true) return right(done);
    const place = Math.max(end.right, newest.right.at(-1)?.seq ?? 0);
    for await (const line of followAudit(nc, filter, place)) {
      if (isLeft(line)) return line;
      await show(line.right);
    }
    return right(done);
  });

export const addAudit = (program: Command): void => {
  const group = program
    .command('audit')
    .description('see what operators did, and which requests were refused');
  withExamples(group, ['tallystick audit list', 'tallystick audit list --kind refused --since 1h']);

  const listed = withTargetOptions(
    group.command('list').description('print the newest records of the audit, the oldest of them first'),
  )
    .option('--principal <name>', 'only of one principal, account or module', name('--principal'))
    .option(
      '--kind <kind>',
      'only of one kind, such as module.load, or of all that begin with it: module, token, refused',
    )
    .option(
      '--since <place>',
      'only from this time on: an RFC 3339 time, or a duration ago',
      agoOrTime('--since'),
    )
    .addOption(withDefault('--limit <count>', 'at most this many records', positive('--limit'), '50'))
    .option('--follow', 'print further records as they come, until you press Ctrl-C')
    .action((options: Options) => runCommand(list(options)));
  withExamples(listed, [
    'tallystick audit list',
    'tallystick audit list --principal ci --kind refused --since 1h',
    'tallystick audit list --kind token --limit 10 --json',
  ]);
};
