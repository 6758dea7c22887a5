import { type Selection, subjectFilters } from '../../journal/read/subject-filters.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { HistoryRecord } from '../../schemas/record.js';
import type { RecordKind } from '../../schemas/subjects.js';
import type { Patience } from './history-places.js';

/** The kinds of records that you can ask for, in the order in which they are offered. */
export const SHOWN_KINDS = [
  'cmd',
  'res',
  'evt',
  'step',
  'wake',
  'cancel',
  'restart',
  'signal',
  'epoch',
] as const satisfies readonly RecordKind[];

/** Which records to read. */
export interface HistoryQuery extends Omit<Selection, 'names'>, Patience {
  /** Name of an action or an event. */
  readonly name?: string | undefined;
  /** Sequence of the first record of a conversation. */
  readonly conversation?: number | undefined;
  /** First sequence, or time of the first record. */
  readonly from?: number | Date | undefined;
  /** Last sequence, or time of the last record. */
  readonly to?: number | Date | undefined;
  /** How many records at most, from the first on; no more than those are sent. */
  readonly limit?: number | undefined;
  /** How many records at most, the last that fit: the log is read backwards, no further than it takes to find them. */
  readonly last?: number | undefined;
  /** Continue with records that are stored later. */
  readonly follow?: boolean | undefined;
}

/** The end of a history, and so the place to continue. Null: there is nothing, or the reading followed the log. */
export interface HistoryEnd {
  /** `from` of the page behind, where `limit` ended this one. */
  readonly next: number | null;
  /** `to` of the page before, where `last` did. */
  readonly previous: number | null;
}

export const fits = (
  { module, agent, sender, kind, name, conversation }: HistoryQuery,
  record: HistoryRecord,
): boolean =>
  (module === undefined || record.module === module) &&
  (agent === undefined || record.agent === agent) &&
  (sender === undefined || record.sender === sender) &&
  (kind === undefined || record.kind === kind) &&
  (name === undefined || (record.name === name && record.kind !== 'epoch')) &&
  (conversation === undefined || record.conversation === conversation);

/** Whether every record whose subject fits is meant; of results and events only headers say who produced them. */
export const bySubject = ({ sender, kind, conversation }: HistoryQuery): boolean =>
  conversation === undefined && (sender === undefined || kind === 'cmd');

/** The narrowest subjects that hold all that is meant; undefined: all do. NAME_INVALID. */
export const queryFilters = (query: HistoryQuery): readonly string[] | undefined => {
  const { module, agent, sender, kind, name } = query;
  const names = name === undefined ? {} : { names: { actions: [name], events: [name] } };
  return subjectFilters({ module, agent, sender, kind, ...names });
};

/** Throws USAGE where nothing can be meant. */
export const checkRange = ({ from, to, limit, last }: HistoryQuery): void => {
  const text = (place: number | Date): string => (place instanceof Date ? place.toISOString() : `${place}`);
  if (from !== undefined && to !== undefined && typeof from === typeof to && from > to)
    throw new FaultError(fault('USAGE', `from ${text(from)} is behind to ${text(to)}: nothing lies between`));
  if (limit !== undefined && last !== undefined)
    throw new FaultError(
      fault('USAGE', 'limit counts from the first record and last from the end: give one of them'),
    );
};
