import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { firstSince, logEnds, type LogApi } from '../../journal/read/reader-api.js';
import { readLog } from '../../journal/read/reader.js';
import { FaultError } from '../../schemas/errors.js';
import { causeOf, type RawRecord, type StoredMessage, type WholeMessage } from '../../schemas/record.js';
import { CommandTree, isRoot } from './command-tree.js';

/** The part of a log that is run again. */
export interface RecordedRange {
  readonly fromSeq: number;
  readonly untilSeq: number;
  /** All of its commands, and their results, where they are recorded. */
  readonly tree: CommandTree;
  /** Commands that nothing in the log caused, in order. */
  readonly roots: readonly WholeMessage[];
  /** Commands of the range, whatever caused them. */
  readonly commands: number;
}

const API = '$JS.API';

/** The sequences that are meant; times are looked up. Throws LOG_UNAVAILABLE. */
export const rangeOf = async (
  nc: NatsConnection,
  { from, until }: { readonly from?: number | Date | undefined; readonly until?: number | undefined },
): Promise<{ readonly fromSeq: number; readonly untilSeq: number; readonly lastSeq: number }> => {
  const api: LogApi = { nc, prefix: API };
  const ends = await logEnds(api);
  if (isLeft(ends)) throw new FaultError(ends.left.fault);
  const { lastSeq } = ends.right;
  const untilSeq = Math.min(until ?? lastSeq, lastSeq);
  if (!(from instanceof Date)) return { fromSeq: from ?? 1, untilSeq, lastSeq };
  const found = await firstSince(api, from);
  if (isLeft(found)) throw new FaultError(found.left.fault);
  return { fromSeq: found.right ?? lastSeq + 1, untilSeq, lastSeq };
};

/** What came before the range: what a sandbox begins with. `open` gets the commands of it that have no result there. */
export async function* recordsBefore(
  nc: NatsConnection,
  fromSeq: number,
  open: Map<number, StoredMessage>,
): AsyncGenerator<RawRecord, void, void> {
  if (fromSeq <= 1) return;
  for await (const message of readLog(nc, { toSeq: fromSeq - 1 })) {
    const { subject } = message;
    if (subject.startsWith('cmd.')) open.set(message.seq, message);
    else if (subject.startsWith('res.')) open.delete(causeOf(message) ?? 0);
    yield message;
  }
}

/**
 * Reads a range, and on behind its end until every command of it is answered, or the log ends. `open`: commands from
 * before it that were not answered when it began.
 */
export const readRange = async (
  nc: NatsConnection,
  { fromSeq, untilSeq, lastSeq }: Awaited<ReturnType<typeof rangeOf>>,
  open: ReadonlyMap<number, StoredMessage>,
): Promise<RecordedRange> => {
  const tree = new CommandTree();
  for (const message of open.values()) tree.add(message);
  const roots: WholeMessage[] = [];
  let commands = 0;
  for await (const message of readLog(nc, { fromSeq, toSeq: lastSeq })) {
    const isCommand = message.subject.startsWith('cmd.');
    if (message.seq > untilSeq) {
      if (tree.isQuiet) break;
      // Commands that follow from the range belong to it; later commands of a sender do not.
      if (isCommand && isRoot(message)) continue;
    }
    tree.add(message);
    if (!isCommand) continue;
    commands += 1;
    if (isRoot(message)) roots.push(message);
  }
  return { fromSeq, untilSeq, tree, roots, commands };
};
