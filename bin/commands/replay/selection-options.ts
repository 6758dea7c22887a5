import type { Command } from 'commander';
import { type HistoryQuery, SHOWN_KINDS } from '../../../replay/history/query.js';
import { logPlace, name, oneOf, positive } from '../../options/option-values.js';

/** The records that the options select. */
export type SelectionOptions = Pick<
  HistoryQuery,
  'module' | 'agent' | 'sender' | 'kind' | 'name' | 'conversation' | 'from' | 'to' | 'limit' | 'last'
>;

/** The filters and the range, for commands that show records. */
export const withSelectionOptions = (command: Command): Command =>
  command
    .option('--module <name>', 'only records of one module', name('--module'))
    .option('--agent <id>', 'only records of one agent, of --module or of any module', name('--agent'))
    .option(
      '--sender <name>',
      'only commands of one sender, and other records of one producer',
      name('--sender'),
    )
    .addOption(oneOf('--kind <kind>', 'only records of one kind', SHOWN_KINDS))
    .option(
      '--name <name>',
      'only commands and results of one action, and events of one name',
      name('--name'),
    )
    .option(
      '--conversation <seq>',
      'only records of the conversation with this first record',
      positive('--conversation'),
    )
    .option('--from <place>', 'first record: a sequence, a time, or a duration ago', logPlace('--from'))
    .option('--to <place>', 'last record: a sequence, a time, or a duration ago', logPlace('--to'))
    .option('--limit <count>', 'at most this many records, from the first one on', positive('--limit'))
    .option('--last <count>', 'at most this many records, the last ones', positive('--last'));

export const selectionOf = (options: SelectionOptions): SelectionOptions => {
  const { module, agent, sender, kind: which, name: called, conversation, from, to, limit, last } = options;
  return { module, agent, sender, kind: which, name: called, conversation, from, to, limit, last };
};
