import type { Command } from 'commander';
import { left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type HistoryEnd, type HistoryQuery, history, lineFormatter } from '../../../replay/index.js';
import { type Fault, FaultError, fault, toFault } from '../../../schemas/errors.js';
import type { RecordKind } from '../../../schemas/subjects.js';
import { withConnection, withTargetOptions } from '../../connect.js';
import type { ExitCode } from '../../exit.js';
import { name, place, positive } from '../../option-values.js';
import { printLine, printNote } from '../../output.js';
import { done, orUsage, run, withExamples } from '../../run.js';
import type { TargetOptions } from '../../target.js';
import { terminal } from '../../terminal.js';

interface Options extends TargetOptions, Pick<HistoryQuery, 'module' | 'agent' | 'sender' | 'kind' | 'name'> {
  readonly json?: boolean;
  readonly conversation?: number;
  readonly from?: number | Date;
  readonly to?: number | Date;
  readonly limit?: number;
  readonly last?: number;
  readonly follow?: boolean;
}

const KINDS = ['cmd', 'res', 'evt', 'epoch'] as const satisfies readonly RecordKind[];
const kind = (text: string): RecordKind => {
  const found = KINDS.find((one) => one === text);
  return orUsage(
    '--kind',
    found === undefined
      ? left(fault('USAGE', `${JSON.stringify(text)} is none of ${KINDS.join(', ')}`))
      : right(found),
  );
};

const format = (json: boolean): ((record: Parameters<ReturnType<typeof lineFormatter>>[0]) => string) => {
  if (json) return (record) => JSON.stringify(record);
  return lineFormatter(terminal());
};

/** What to type for the page behind, or before. */
const sayWhereToGoOn = ({ next, previous }: HistoryEnd, json: boolean): void => {
  if (next !== null) printNote(`more: --from ${next}`, json, { next });
  if (previous !== null) printNote(`earlier: --to ${previous}`, json, { previous });
};

const showHistory = (options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const { module, agent, sender, name, conversation, from, to, limit, last, follow } = options;
    const interrupted = new AbortController();
    // Ctrl-C is how a --follow ends; what does not follow is ended the usual way.
    if (follow === true)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
    const line = format(options.json === true);
    const selection = { module, agent, sender, kind: options.kind, name, conversation };
    const records = history(nc, { ...selection, from, to, limit, last, follow, signal: interrupted.signal });
    try {
      let step = await records.next();
      if (step.done === true && options.json !== true) printNote('no record fits', false, {});
      for (; step.done !== true; step = await records.next()) await printLine(line(step.value));
      sayWhereToGoOn(step.value, options.json === true);
      return right(done);
    } catch (thrown) {
      return left(thrown instanceof FaultError ? thrown.fault : toFault(thrown));
    }
  });

/** `replay history`, in the group of the commands that read the log back. */
export const addHistory = (group: Command): void => {
  const command = withTargetOptions(
    group
      .command('history')
      .description('records in order, one a line: seq time kind module.name agent sender cause data')
      .option('--module <name>', 'records of one module', name('--module'))
      .option('--agent <id>', 'records of one agent; of any module unless --module narrows', name('--agent'))
      .option('--sender <name>', 'commands of one sender, other records of one producer', name('--sender'))
      .option('--kind <kind>', KINDS.join(', '), kind)
      .option('--name <name>', 'commands and results of one action, events of one name', name('--name'))
      .option('--conversation <seq>', 'what follows from one first record', positive('--conversation'))
      .option('--from <place>', 'first record: a sequence, a time, or a duration ago', place('--from'))
      .option('--to <place>', 'last record: a sequence, a time, or a duration ago', place('--to'))
      .option('--limit <count>', 'how many records at most, from the first on', positive('--limit'))
      .option('--last <count>', 'how many records at most, the last ones', positive('--last'))
      .option('--follow', 'go on with what is stored later, until Ctrl-C'),
  ).action((options: Options) => run(showHistory(options)));
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
