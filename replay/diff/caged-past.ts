import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { schemaOf } from '../../schemas/manifest.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { AgentState } from '../../store/snapshots/index.js';
import type { PastState } from '../fold/state-at.js';
import { type CagedModuleQuery, cagedStart } from './caged-start.js';
import { Runner, type RunnerOptions } from './runner.js';
import { plainRecord } from './runner-messages.js';

/** A state of the past that a program asks for which must not run the code of a module. */
export interface CagedPastQuery extends CagedModuleQuery {
  /** `''` is the module itself. */
  readonly agent: string;
  /** A sequence, or a time. One behind the end of the log means the end. */
  readonly at: number | Date;
}

const folded = async (
  { manifest: { name }, agent }: CagedPastQuery,
  options: RunnerOptions,
  base: AgentState | undefined,
  records: readonly StoredMessage[],
): Promise<Either<Fault, unknown>> => {
  await using runner = new Runner(options);
  const items = records.map((message, i) => ({
    record: plainRecord(message),
    agent,
    ...(i === 0 && base !== undefined ? { state: JSON.stringify(base.state) } : {}),
  }));
  const taken = await runner.take(items);
  if (isLeft(taken)) return taken;
  const state = runner.state(agent);
  return state === undefined
    ? left(fault('SNAPSHOT_DAMAGED', `no record that the snapshots of ${name} have for ${agent} changes it`))
    : right(JSON.parse(state));
};

const find = async (query: CagedPastQuery): Promise<Either<Fault, PastState | undefined>> => {
  const { agents, manifest, agent } = query;
  const start = await cagedStart(query, query.at);
  if (isLeft(start)) return start;
  const { api, at, runner } = start.right;
  const { base, sequences } = agents.past(agent, at);
  if (sequences.length === 0) return right(base === undefined ? undefined : { ...base, at, folded: 0 });
  const records = await recordsAt(api, sequences)();
  if (isLeft(records)) return records;
  const state = await folded(query, runner, base, records.right);
  if (isLeft(state)) return state;
  const last = records.right.at(-1) as StoredMessage;
  return right({
    ...{ seq: last.seq, time: last.time, schema: schemaOf(manifest), state: state.right },
    at,
    folded: sequences.length,
  });
};

/**
 * As `stateAt`, with the code of the module in a caged process without a credential: what asks may hold
 * credentials that the module must not see. MODULE_CODE_UNAVAILABLE, FOLD_FAILED, SNAPSHOTS_UNAVAILABLE,
 * SNAPSHOTS_BEHIND, and why the log cannot be read.
 */
export const cagedStateAt =
  (query: CagedPastQuery): TaskEither<Fault, PastState | undefined> =>
  async () => {
    try {
      return await find(query);
    } catch (thrown) {
      return left(toFault(thrown));
    }
  };
