import { isLeft } from 'fp-ts/lib/Either.js';
import { readMerged } from '../../journal/read/read-merged.js';
import { type LogApi, type LogEnds, nextMatch } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { whyForeign } from '../../store/snapshots/folded-elsewhere.js';
import { FaultError } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import { agentFilters, positionOrReason, type StateAtQuery } from '../fold/state-at.js';

export type AgentQuery = Omit<StateAtQuery, 'at'>;

export interface AgentRecords {
  readonly messages: readonly StoredMessage[];
  /** The snapshots say that all of these changed the agent; otherwise they are what has its name in the subject. */
  readonly known: boolean;
}

const PAGE = 2_048;
/**
 * Asking for one record by its sequence takes as long as going through so many of the log behind a filter, about: above
 * that the records are read through, below it they are asked for.
 */
const RECORDS_PER_ASK = 30;

/** Up to where the snapshots know the sequences of this log; 0: nowhere. */
const knownTo = ({ agents, module }: AgentQuery, ends: LogEnds): number => {
  const stands = positionOrReason(agents);
  if (isLeft(stands) || stands.right === undefined) return 0;
  return whyForeign(stands.right, ends, module) === undefined ? stands.right.seq : 0;
};

/** What the snapshots know, page after page; the next is asked for while one is folded. */
async function* asked(
  { agents, agent }: AgentQuery,
  api: LogApi,
  fromSeq: number,
  toSeq: number,
): AsyncGenerator<AgentRecords, void, void> {
  const ask = (from: number) => {
    const page = agents.sequences(agent, from, PAGE);
    const wanted = page.filter((seq) => seq <= toSeq);
    return { records: recordsAt(api, wanted)(), next: wanted.length < page.length ? undefined : page.at(-1) };
  };
  for (let page = ask(fromSeq); ; ) {
    const following = page.next === undefined ? undefined : ask(page.next + 1);
    const records = await page.records;
    if (isLeft(records)) throw new FaultError(records.left);
    if (records.right.length > 0) yield { messages: records.right, known: true };
    if (following === undefined) return;
    page = following;
  }
}

/** The records with the name of the agent in their subject. */
async function* filtered(
  query: AgentQuery,
  api: LogApi,
  fromSeq: number,
  toSeq: number,
): AsyncGenerator<AgentRecords, void, void> {
  if (fromSeq > toSeq) return;
  const filters = agentFilters(query);
  // Making consumers for nothing would take longer than all else.
  const next = await nextMatch(api, filters, fromSeq);
  if (isLeft(next)) throw new FaultError(next.left.fault);
  if (next.right === undefined || next.right > toSeq) return;
  const range = { fromSeq: next.right, toSeq, apiPrefix: api.prefix };
  const parts = filters.map((filter) => ({ filter }));
  for await (const messages of readMerged(query.nc, parts, range)) yield { messages, known: false };
}

/**
 * The records of one agent in a range, in order: those that the snapshots know by their sequences, which reads
 * nothing else, or, where much of the log is that agent's, by reading through it. Throws {@link FaultError}.
 */
export async function* agentRecords(
  query: AgentQuery,
  api: LogApi,
  ends: LogEnds,
  fromSeq: number,
  toSeq: number,
): AsyncGenerator<AgentRecords, void, void> {
  const known = Math.min(knownTo(query, ends), toSeq);
  const records = known < fromSeq ? 0 : query.agents.changesSince(query.agent, fromSeq);
  if (known < fromSeq || records * RECORDS_PER_ASK > known - fromSeq) {
    yield* filtered(query, api, fromSeq, toSeq);
    return;
  }
  yield* asked(query, api, fromSeq, known);
  yield* filtered(query, api, known + 1, toSeq);
}
