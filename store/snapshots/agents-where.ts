import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { fieldText, type FieldValue } from '../../schemas/field-value.js';
import type { FreshReads } from '../lmdb/fresh-reads.js';
import { partsOfFieldKey, fieldKey, valueKey } from './field-keys.js';
import { POSITION, type SnapshotFiles, type SnapshotPosition } from './snapshot-files.js';

/** By field, the value that an agent must have there: `{ status: 'open' }`. An agent must have all of them. */
export type Where = Readonly<Record<string, FieldValue>>;

/** Agents that have the first value, of which so many are compared for one page. */
const MOST_COMPARED = 10_000;
const LAST_AGENT = '\uffff';

export interface WhereQuery {
  readonly module: string;
  readonly where: Where;
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
}

/** Names of agents in order, and what to give as `after` for more; null behind the last. */
export interface AgentNames {
  readonly names: readonly string[];
  readonly next: string | null;
}

type Files = SnapshotFiles & { readonly reads: FreshReads };

const notIndexed = (module: string, field: string, index: readonly string[]): Fault => {
  const has = index.length === 0 ? 'it has no index' : `it has ${index.join(', ')}`;
  return fault(
    'FIELD_NOT_INDEXED',
    `${module} has no index of ${JSON.stringify(field.slice(0, 64))}: ${has}`,
  );
};

/** Throws FIELD_NOT_INDEXED, and USAGE where no value is given. To be called within one look at the files. */
export const namesWhere = (files: Files, { module, where, prefix, after, limit }: WhereQuery): AgentNames => {
  const { root, fields: db, reads } = files;
  const position = root.get(POSITION, reads.options) as SnapshotPosition | undefined;
  const index = position?.index ?? [];
  const wanted = Object.entries(where).map(([field, value]): readonly [string, string] => {
    const text = fieldText(value);
    if (position !== undefined && !index.includes(field))
      throw new FaultError(notIndexed(module, field, index));
    if (text === undefined)
      throw new FaultError(
        fault('USAGE', `${field}: agents are looked up by a text, a number, true, false or null`),
      );
    return [field, valueKey(text)];
  });
  const [first, ...others] = wanted;
  if (first === undefined) throw new FaultError(fault('USAGE', 'name a field and its value'));
  // Nothing is folded yet.
  if (position === undefined || db === undefined) return { names: [], next: null };
  const [field, value] = first;
  const names: string[] = [];
  let compared = 0;
  const range = {
    start: fieldKey(field, value, after > prefix ? after : prefix),
    end: fieldKey(field, value, LAST_AGENT),
    ...reads.options,
  };
  let last = '';
  for (const key of db.getKeys(range)) {
    const [, , agent] = partsOfFieldKey(key);
    if (agent === after) continue;
    if (!agent.startsWith(prefix)) break;
    if (names.length === limit || compared === MOST_COMPARED) return { names, next: last };
    compared += 1;
    last = agent;
    if (others.every(([name, text]) => reads.bytes(db, fieldKey(name, text, agent)) !== undefined))
      names.push(agent);
  }
  return { names, next: null };
};
