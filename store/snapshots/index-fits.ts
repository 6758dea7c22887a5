import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { FreshReads } from '../lmdb/fresh-reads.js';
import { partsOfFieldKey, fieldKey, fieldValues } from './field-keys.js';
import {
  AGENTS_END,
  agentKey,
  agentOfKey,
  POSITION,
  type SnapshotFiles,
  type SnapshotPosition,
} from './snapshot-files.js';

type Files = SnapshotFiles & { readonly reads: FreshReads };

/**
 * Whether the index of fields says of each agent what its state says, and nothing more: SNAPSHOT_DAMAGED with the
 * first that differs. `json`: the state of a snapshot. It looks at all agents as they are when it is called.
 */
export const indexFits = (
  { root, agents, fields, reads }: Files,
  module: string,
  json: (bytes: Buffer, agent: string) => string,
): Either<Fault, void> => {
  const { index } = (root.get(POSITION, reads.options) as SnapshotPosition | undefined) ?? {};
  if (index === undefined || fields === undefined) return right(undefined);
  const differs = (agent: string, why: string): Either<Fault, never> => {
    const text = `the index of ${module} ${why} agent ${agent}; \`tallystick replay rebuild ${module}\` makes it again`;
    return left(fault('SNAPSHOT_DAMAGED', text));
  };
  let entries = 0;
  for (const { key, value } of agents.getRange({ start: agentKey(''), end: AGENTS_END, ...reads.options })) {
    const agent = agentOfKey(key as string);
    for (const [field, text] of fieldValues(index, agent, json(value, agent))) {
      entries += 1;
      if (reads.bytes(fields, fieldKey(field, text, agent)) === undefined)
        return differs(agent, `lacks the ${field} of`);
    }
  }
  const found = fields.getKeysCount({ ...reads.options });
  if (found === entries) return right(undefined);
  for (const key of fields.getKeys({ ...reads.options })) {
    const [field, text, agent] = partsOfFieldKey(key);
    const value = reads.bytes(agents, agentKey(agent));
    const values = fieldValues(index, agent, value === undefined ? undefined : json(value, agent));
    if (values.get(field) !== text) return differs(agent, `has another ${field} than the state of`);
  }
  return right(undefined);
};
