import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { type LogApi, type LogEnds, logEnds, nextMatch } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { KeptSeals } from '../../store/seals/kept-seals.js';
import { whyForeign } from '../../store/snapshots/folded-elsewhere.js';
import type { AgentState, ModuleAgents, PastAgent, SnapshotPosition } from '../../store/snapshots/index.js';
import { compileFoldable, type RecordSeals } from '../../modules/sdk/fold.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { foldedSubjects } from '../../schemas/folded-events.js';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import { AgentFold } from './agent-fold.js';
import { lastAt } from './fold-places.js';

export interface StateAtQuery {
  /** A connection that may read the log. */
  readonly nc: NatsConnection;
  /** The snapshots of the module. */
  readonly agents: ModuleAgents;
  /** Its code. */
  readonly module: AnyModule;
  /** `''` is the module itself. */
  readonly agent: string;
  /** A sequence, or a time. One behind the end of the log means the end. */
  readonly at: number | Date;
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
}

export interface PastState extends AgentState {
  /** The last record of the log that counts. */
  readonly at: number;
  /** Records that were folded for this answer. */
  readonly folded: number;
  /** Why no snapshot could be used, where none could: everything was folded from the beginning. */
  readonly note?: string;
}

interface Start extends PastAgent {
  /** Up to here `sequences` has all that changed the agent. */
  readonly complete: number;
  readonly note?: string;
}

const NOTHING: Start = { base: undefined, sequences: [], complete: 0 };

/** Where the snapshots stand, or why there are none to read. */
export const positionOrReason = (agents: ModuleAgents): Either<string, SnapshotPosition | undefined> => {
  try {
    return right(agents.position);
  } catch (error) {
    if (error instanceof FaultError) return left(error.message);
    throw error;
  }
};

/** Where to begin: at a snapshot, or where those cannot be used, at nothing, with the reason. */
const startOf = (
  { agents, agent, module }: StateAtQuery,
  at: number,
  stands: ReturnType<typeof positionOrReason>,
  ends: LogEnds,
): Start => {
  const fromBeginning = (why: string): Start => ({ ...NOTHING, note: `${why}: folded from the beginning` });
  if (isLeft(stands)) return fromBeginning(stands.left);
  const position = stands.right;
  if (position === undefined) return NOTHING;
  const why = whyForeign(position, ends, module);
  if (why !== undefined) return fromBeginning(why);
  try {
    return { ...agents.past(agent, at), complete: position.seq };
  } catch (error) {
    if (error instanceof FaultError) return fromBeginning(error.message);
    throw error;
  }
};

/** Any action and event: an older version of the module may have had others than its manifest names today. */
export const agentFilters = ({
  module: { manifest },
  agent,
}: Pick<StateAtQuery, 'module' | 'agent'>): readonly string[] => {
  // Which agent an event changes may be in its data.
  if (manifest.folds !== undefined) return foldedSubjects(manifest.folds);
  const rest = agent === '' ? '*' : `*.${agent}`;
  return [`res.${manifest.name}.${rest}`, `evt.${manifest.name}.${rest}`];
};

/** Folds what came behind the snapshots, up to `at`: usually nothing. */
const foldRest = async (
  query: StateAtQuery,
  api: LogApi,
  fold: AgentFold,
  from: number,
  at: number,
): Promise<Either<Fault, void>> => {
  if (from > at) return right(undefined);
  const filters = agentFilters(query);
  // Making a consumer for nothing would take longer than all else.
  const next = await nextMatch(api, filters, from);
  if (isLeft(next)) return left(next.left.fault);
  if (next.right === undefined || next.right > at) return right(undefined);
  const range = { filters, fromSeq: next.right, toSeq: at };
  for await (const message of readLog(query.nc, { ...range, apiPrefix: api.prefix })) {
    const added = fold.add(message, false);
    if (isLeft(added)) return added;
  }
  return right(undefined);
};

const compiled = new WeakMap<AnyModule, ReturnType<typeof compileFoldable>>();

/** Compiling a module's schemas takes as long as folding some hundred records. */
const foldableOf = (
  module: AnyModule,
  seals: RecordSeals | undefined,
): ReturnType<typeof compileFoldable> => {
  if (seals !== undefined) return compileFoldable(module, seals);
  const known = compiled.get(module) ?? compileFoldable(module);
  compiled.set(module, known);
  return known;
};

const find = async (query: StateAtQuery): Promise<Either<Fault, PastState | undefined>> => {
  const { nc, module, agent, apiPrefix = '$JS.API' } = query;
  const api: LogApi = { nc, prefix: apiPrefix };
  const seals = new KeptSeals(query.agents.module, query.agents.dataDir).now();
  const erased = seals?.check(agent);
  if (erased !== undefined && isLeft(erased)) return erased;
  const read = foldableOf(module, seals);
  if (isLeft(read)) return read;
  // Before all else: the log does not end before what stands in the snapshots already, and what comes to be in them
  // meanwhile is found twice and folded once.
  const stands = positionOrReason(query.agents);
  const ends = await logEnds(api);
  if (isLeft(ends)) return left(ends.left.fault);
  const at = await lastAt(api, query.at, ends.right);
  if (isLeft(at)) return at;
  const { base, sequences, complete, note } = startOf(query, at.right, stands, ends.right);
  const fold = new AgentFold(module, read.right, agent, base);
  const records = await recordsAt(api, sequences)();
  if (isLeft(records)) return records;
  for (const message of records.right) {
    const added = fold.add(message, true);
    if (isLeft(added)) return added;
  }
  const rest = await foldRest(query, api, fold, complete + 1, at.right);
  if (isLeft(rest)) return rest;
  const { found, count } = fold;
  if (found === undefined) return right(undefined);
  return right({ ...found, at: at.right, folded: count, ...(note === undefined ? {} : { note }) });
};

/**
 * What an agent was when the record at a place of the log had been stored: the nearest kept snapshot, and the records
 * behind it folded by the module's code. Undefined when nothing had happened to it by then. Where the snapshots are of
 * another version of the module, or of another log, everything is folded from the beginning, and `note` says so.
 * FOLD_FAILED, SCHEMA_TOO_NEW, SNAPSHOT_DAMAGED, LOG_MISMATCH, and why the log cannot be read.
 */
export const stateAt =
  (query: StateAtQuery): TaskEither<Fault, PastState | undefined> =>
  async () => {
    try {
      return await find(query);
    } catch (thrown) {
      return left(toFault(thrown));
    }
  };
