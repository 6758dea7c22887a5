import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { type LogApi, logEnds } from '../../journal/read/reader-api.js';
import { KeptSeals } from '../../store/seals/kept-seals.js';
import type { AgentState } from '../../store/snapshots/index.js';
import { compileFoldable } from '../../modules/sdk/fold.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import { AgentFold } from '../fold/agent-fold.js';
import { firstAt, lastAt } from '../fold/fold-places.js';
import { stateAt } from '../fold/state-at.js';
import { type AgentQuery, agentRecords } from './agent-records.js';

export interface StepsQuery extends AgentQuery {
  /** First record: a sequence, or a time. Default: the beginning. */
  readonly from?: number | Date | undefined;
  /** Last record: a sequence, or a time. Default: where the log ends now. */
  readonly to?: number | Date | undefined;
  /** Called now and then with the sequence that was folded last, and the range that is. */
  readonly onProgress?: (seq: number, fromSeq: number, toSeq: number) => void;
}

/** One record that changed an agent. All its events hold at once: there is no state in between. */
export interface AgentStep {
  readonly seq: number;
  /** When it was stored, RFC 3339. */
  readonly time: string;
  /** What happened; of several events the last. */
  readonly event: AnyEvent;
  /** All events of the record, in order. */
  readonly events: readonly AnyEvent[];
  readonly before: unknown;
  readonly state: unknown;
}

class ComputedStep implements AgentStep {
  constructor(
    private readonly message: StoredMessage,
    readonly event: AnyEvent,
    readonly events: readonly AnyEvent[],
    readonly before: unknown,
    readonly state: unknown,
  ) {}

  get seq(): number {
    return this.message.seq;
  }

  /** Made when it is asked for: of a million steps that takes a second. */
  get time(): string {
    return this.message.time;
  }
}

const or = <T>(outcome: Either<Fault, T>): T => {
  if (isLeft(outcome)) throw new FaultError(outcome.left);
  return outcome.right;
};

/** The state that the first step changes. */
const baseOf = async (query: AgentQuery, fromSeq: number): Promise<AgentState | undefined> =>
  fromSeq <= 1 ? undefined : or(await stateAt({ ...query, at: fromSeq - 1 })());

/**
 * Everything that happened to an agent in a part of the log, in order, with its state before and after. Throws
 * {@link FaultError}, as `stateAt` says.
 */
export async function* agentSteps(query: StepsQuery): AsyncGenerator<AgentStep, void, void> {
  const { nc, module, agent, apiPrefix = '$JS.API', from = 1, to, onProgress } = query;
  const api: LogApi = { nc, prefix: apiPrefix };
  const seals = new KeptSeals(query.agents.module, query.agents.dataDir).now();
  if (seals !== undefined) or(seals.check(agent));
  const read = or(compileFoldable(module, seals));
  const found = await logEnds(api);
  if (isLeft(found)) throw new FaultError(found.left.fault);
  const ends = found.right;
  const fromSeq = or(await firstAt(api, from, ends));
  const toSeq = or(await lastAt(api, to ?? ends.lastSeq, ends));
  if (fromSeq > toSeq) return;
  const fold = new AgentFold(module, read, agent, await baseOf(query, fromSeq));
  for await (const { messages, known } of agentRecords(query, api, ends, fromSeq, toSeq)) {
    for (const message of messages) {
      const before = fold.state;
      const events = or(fold.add(message, known));
      const event = events.at(-1);
      if (event === undefined) continue;
      yield new ComputedStep(message, event, events, before, fold.state);
    }
    onProgress?.(messages.at(-1)?.seq ?? fromSeq, fromSeq, toSeq);
  }
}
