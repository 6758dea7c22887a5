import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type LogApi, logEnds } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { type Manifest, schemaOf } from '../../schemas/manifest.js';
import type { StoredMessage } from '../../schemas/record.js';
import { KeptSeals } from '../../store/seals/kept-seals.js';
import { whyForeign } from '../../store/snapshots/folded-elsewhere.js';
import type { AgentState, ModuleAgents } from '../../store/snapshots/index.js';
import { Runner } from './runner.js';
import { plainRecord } from './runner-messages.js';
import { lastAt } from '../fold/fold-places.js';
import type { PastState } from '../fold/state-at.js';

/** A state of the past that a program asks for which must not run the code of a module. */
export interface CagedPastQuery {
  /** A connection that may read the log. */
  readonly nc: NatsConnection;
  readonly agents: ModuleAgents;
  readonly manifest: Manifest;
  /** The directory of the module. */
  readonly dir: string;
  /** `''` is the module itself. */
  readonly agent: string;
  /** A sequence, or a time. One behind the end of the log means the end. */
  readonly at: number | Date;
}

const SNAPSHOTS_MS = 5_000;

const unavailable = (name: string, why: string): Fault =>
  fault('MODULE_CODE_UNAVAILABLE', `the past of ${name} cannot be folded here: ${why}`);

const folded = async (
  { manifest, dir, agent, agents }: CagedPastQuery,
  entry: string,
  base: AgentState | undefined,
  records: readonly StoredMessage[],
): Promise<Either<Fault, unknown>> => {
  const { name } = manifest;
  await using runner = new Runner({
    ...{ dir, entry, manifest, name, cascade: false },
    manifestPath: join(dir, 'manifest.json'),
    secret: agents.dataDir,
  });
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
  const { nc, agents, manifest, agent } = query;
  const { start, name } = manifest;
  if (!('entry' in start)) return left(unavailable(name, 'it is a program in another language'));
  if (new KeptSeals(name, agents.dataDir).now() !== undefined)
    return left(unavailable(name, 'its states are encrypted; `tallystick agent get --at` has the keys'));
  const api: LogApi = { nc, prefix: '$JS.API' };
  // Before the end of the log: snapshots do not stand behind that.
  const stands = agents.position;
  const ends = await logEnds(api);
  if (isLeft(ends)) return left(ends.left.fault);
  const at = await lastAt(api, query.at, ends.right);
  if (isLeft(at)) return at;
  const why = stands === undefined ? undefined : whyForeign(stands, ends.right, { manifest });
  if (why !== undefined) return left(fault('SNAPSHOTS_UNAVAILABLE', why));
  // All that changed the agent is known by its sequence then, so nothing else of the log is read.
  const reached = await agents.atLeast(at.right, { timeoutMs: SNAPSHOTS_MS })();
  if (isLeft(reached)) return reached;
  const { base, sequences } = agents.past(agent, at.right);
  if (sequences.length === 0)
    return right(base === undefined ? undefined : { ...base, at: at.right, folded: 0 });
  const records = await recordsAt(api, sequences)();
  if (isLeft(records)) return records;
  const state = await folded(query, start.entry, base, records.right);
  if (isLeft(state)) return state;
  const last = records.right.at(-1) as StoredMessage;
  return right({
    ...{ seq: last.seq, time: last.time, schema: schemaOf(manifest), state: state.right },
    at: at.right,
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
