import type { NatsConnection } from 'nats';
import { FaultError, fault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { logConfig } from '../../broker/streams/log-stream.js';
import { encodeEnd, encodeStart } from './archive.js';
import { S2_START, s2Chunk } from './s2-frames.js';
import type { StagedRecords } from './staged-records.js';
import { type ApiError, isAnswered } from '../../link/jetstream-error.js';

const CHUNK_TIMEOUT_MS = 30_000;
/** The server has all records and makes the stream from them. */
const END_TIMEOUT_MS = 120_000;
/** Pieces in flight. */
const WINDOW = 4;

interface RestoreReply {
  readonly deliver_subject?: string;
  readonly error?: ApiError;
}

const check = (answer: RestoreReply): RestoreReply => {
  const { error } = answer;
  if (error === undefined) return answer;
  const isFull = isAnswered(error, 'storageResourcesExceeded') || isAnswered(error, 'streamStoreFailed');
  const code = isFull ? 'LOG_FULL' : 'LOG_UNAVAILABLE';
  throw new FaultError(
    fault(code, `the server does not restore the log: ${error.description ?? 'no reason given'}`),
  );
};

/**
 * Makes the stream LOG from records, with their sequences, times and headers. Publishing would give them new times
 * and check their fences again. A failure half-way leaves a part, which the caller must remove. Throws
 * LOG_UNAVAILABLE, LOG_FULL.
 */
export const restoreStream = async (
  nc: NatsConnection,
  records: StagedRecords,
  maxBytes: number,
  onProgress: (bytes: number) => void,
): Promise<void> => {
  const body = { config: logConfig(maxBytes), state: records.state };
  const reply = await nc.request(`$JS.API.STREAM.RESTORE.${LOG}`, JSON.stringify(body), {
    timeout: CHUNK_TIMEOUT_MS,
  });
  const { deliver_subject: subject } = check(reply.json<RestoreReply>());
  if (subject === undefined) throw new FaultError(fault('LOG_UNAVAILABLE', 'the server takes no backup'));

  const underWay: Promise<void>[] = [];
  const send = async (piece: Buffer): Promise<void> => {
    const answered = nc.request(subject, piece, { timeout: CHUNK_TIMEOUT_MS }).then((answer) => {
      if (answer.data.length > 0) check(answer.json<RestoreReply>());
    });
    // It is awaited below, in order. Until then it is no unhandled rejection.
    answered.catch(() => undefined);
    underWay.push(answered);
    if (underWay.length >= WINDOW) await underWay.shift();
  };
  await send(Buffer.concat([S2_START, s2Chunk(encodeStart(records.state))]));
  let bytes = 0;
  for await (const piece of records.pieces()) {
    await send(s2Chunk(piece));
    bytes += piece.length;
    onProgress(bytes);
  }
  await send(s2Chunk(encodeEnd()));
  await Promise.all(underWay);
  const ended = await nc.request(subject, '', { timeout: END_TIMEOUT_MS });
  check(ended.json<RestoreReply>());
};
