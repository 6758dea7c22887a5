import type { Command } from 'commander';
import { left, right } from 'fp-ts/lib/Either.js';
import type { HistoryQuery } from '../../../replay/history/query.js';
import { fault } from '../../../schemas/errors.js';
import type { RecordKind } from '../../../schemas/subjects.js';
import { name, place, positive } from '../../options/option-values.js';
import { orUsage } from '../../output/run-command.js';

/** Which records, as options say it. */
export type SelectionOptions = Pick<
  HistoryQuery,
  'module' | 'agent' | 'sender' | 'kind' | 'name' | 'conversation' | 'from' | 'to' | 'limit' | 'last'
>;

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

/** The filters and the range of the commands that show records. */
export const withSelectionOptions = (command: Command): Command =>
  command
    .option('--module <name>', 'records of one module', name('--module'))
    .option('--agent <id>', 'records of one agent; of any module unless --module narrows', name('--agent'))
    .option('--sender <name>', 'commands of one sender, other records of one producer', name('--sender'))
    .option('--kind <kind>', KINDS.join(', '), kind)
    .option('--name <name>', 'commands and results of one action, events of one name', name('--name'))
    .option('--conversation <seq>', 'what follows from one first record', positive('--conversation'))
    .option('--from <place>', 'first record: a sequence, a time, or a duration ago', place('--from'))
    .option('--to <place>', 'last record: a sequence, a time, or a duration ago', place('--to'))
    .option('--limit <count>', 'how many records at most, from the first on', positive('--limit'))
    .option('--last <count>', 'how many records at most, the last ones', positive('--last'));

export const selectionOf = (options: SelectionOptions): SelectionOptions => {
  const { module, agent, sender, kind: which, name: called, conversation, from, to, limit, last } = options;
  return { module, agent, sender, kind: which, name: called, conversation, from, to, limit, last };
};
