import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { linkedRequest } from '../../link/linked-request.js';
import { headerOf, headersOf, lastHeaderOf } from '../../link/message-headers.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { LOG } from '../../schemas/log.js';
import { causeOf } from '../../schemas/record.js';

/** Most results are the first or second of their subject behind the command. A stream costs the server a consumer. */
const SINGLE_LOOKS = 8;
const REPLY_MS = 5_000;
/** A stream passes some 100,000 results in a second. */
const STREAM_MS = 10_000;
const NOT_FOUND = 404;

interface Search {
  readonly nc: NatsConnection;
  readonly command: number;
  /** Of the result. */
  readonly subject: string;
}

const lost = ({ command }: Search, why: string): Fault =>
  fault('LOG_UNAVAILABLE', `the result of command ${command} was not found: ${why}`);

/** The next record of the subject: its sequence, and whether it is the result. */
const look = async (search: Search, from: number): Promise<E.Either<Fault, readonly [number, boolean]>> => {
  const { nc, command, subject } = search;
  const body = JSON.stringify({ seq: from, next_by_subj: subject });
  const message = await linkedRequest(nc, `$JS.API.DIRECT.GET.${LOG}`, body, { timeout: REPLY_MS });
  const seq = Number(lastHeaderOf(message, HEADER.storedSequence));
  if (Number.isSafeInteger(seq) && seq >= from)
    return E.right([seq, headerOf(message, HEADER.cause) === `${command}`]);
  const { code, description } = headersOf(message);
  return E.left(lost(search, code === NOT_FOUND ? `${subject} has none` : `${code} ${description}`.trim()));
};

const stream = async (search: Search, fromSeq: number): Promise<E.Either<Fault, number>> => {
  const { nc, command, subject } = search;
  const until = performance.now() + STREAM_MS;
  for await (const record of readLog(nc, { fromSeq, filters: [subject], headersOnly: true })) {
    if (causeOf(record) === command) return E.right(record.seq);
    if (performance.now() > until) break;
  }
  return E.left(lost(search, `look for it with \`tallystick replay trace ${command}\``));
};

/**
 * The sequence of the result of a command that has one. Nothing keeps it for ever, and nothing must: the results of one
 * agent and action have one subject, so those in between are of commands that were open at the same time.
 */
export const findResult = async (search: Search): Promise<E.Either<Fault, number>> => {
  try {
    let from = search.command + 1;
    for (let i = 0; i < SINGLE_LOOKS; i++) {
      const looked = await look(search, from);
      if (E.isLeft(looked)) return looked;
      const [seq, isFound] = looked.right;
      if (isFound) return E.right(seq);
      from = seq + 1;
    }
    return await stream(search, from);
  } catch (error) {
    return E.left(lost(search, (error as Error).message));
  }
};
