import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { alignedLines } from '../../../replay/history/aligned-lines.js';
import { lineFormatter } from '../../../replay/history/format-line.js';
import { history } from '../../../replay/history/read-history.js';
import type { HistoryEnd } from '../../../replay/history/query.js';
import type { Fault } from '../../../schemas/errors.js';
import { type HistoryRecord, historyLine } from '../../../schemas/record.js';
import { mapped } from '../../../system/async/mapped.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { askMasks, type RevealOptions, withReveal } from '../../connect/known-masks.js';
import { maskedRecord } from '../../../replay/history/masked-record.js';
import type { ExitCode } from '../../output/exit.js';
import { printLine, printNote, type Verbatim, verbatim } from '../../output/output.js';
import { done, runCommand, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../../link/target.js';
import { terminal } from '../../output/terminal.js';
import { type SelectionOptions, selectionOf, withSelectionOptions } from './selection-options.js';
import { faultThrown } from '../../output/thrown-fault.js';

interface Options extends TargetOptions, SelectionOptions, RevealOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
}

/** Records of a --follow are printed as they come; those of another run as columns that do not change their width. */
const linesOf = (
  records: ReturnType<typeof history>,
  { json, follow }: Options,
): AsyncGenerator<string | Verbatim, HistoryEnd> => {
  if (json === true) return mapped(records, historyLine);
  const format = lineFormatter(terminal());
  const line = (record: HistoryRecord): Verbatim => verbatim(format(record));
  return follow === true ? mapped(records, line) : alignedLines(records, line);
};

/** The command that shows the next page, or the previous one. */
const sayWhereToGoOn = ({ next, previous }: HistoryEnd, json: boolean): void => {
  if (next !== null) printNote(`more: --from ${next}`, json, { next });
  if (previous !== null) printNote(`earlier: --to ${previous}`, json, { previous });
};

const showHistory = (options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const { follow } = options;
    const interrupted = new AbortController();
    // Ctrl-C ends a --follow in order. Without --follow it ends the process.
    if (follow === true)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
    const masks = await askMasks(nc, options, 'replay history')();
    if (isLeft(masks)) return masks;
    const found = history(nc, { ...selectionOf(options), follow, signal: interrupted.signal });
    const records = mapped(found, (record) => maskedRecord(masks.right, record));
    const lines = linesOf(records, options);
    try {
      let step = await lines.next();
      if (step.done === true && options.json !== true) printNote('no record matches', false, {});
      for (; step.done !== true; step = await lines.next()) await printLine(step.value);
      sayWhereToGoOn(step.value, options.json === true);
      return right(done);
    } catch (thrown) {
      return left(faultThrown(thrown));
    }
  });

/** `replay history`, a command of the group `replay`. */
export const addHistory = (group: Command): void => {
  const command = withReveal(
    withTargetOptions(
      withSelectionOptions(
        group
          .command('history')
          .description(
            'print records in order, one on a line: seq time kind module.name agent sender cause data',
          ),
      ).option('--follow', 'print later records too, until Ctrl-C'),
    ),
  ).action((options: Options) => runCommand(showHistory(options)));
  withExamples(command, [
    'tallystick replay history --agent alice',
    'tallystick replay history --module accounts --kind evt --from 2h --limit 100',
    'tallystick replay history --conversation 17 --json',
    'tallystick replay history --last 20',
    'tallystick replay history --last 20 --follow',
    'FORCE_COLOR=1 tallystick replay history --from 2h | less -R',
    'tallystick replay history --follow --json | jq .subject',
  ]);
};
