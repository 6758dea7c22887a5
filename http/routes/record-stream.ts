import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { maskedRecord } from '../../replay/history/masked-record.js';
import type { HistoryQuery } from '../../replay/history/query.js';
import { history } from '../../replay/history/read-history.js';
import { FaultError, toFault } from '../../schemas/errors.js';
import type { Masks } from '../../schemas/masks.js';
import { historyLine } from '../../schemas/record.js';
import { refusal } from '../../schemas/result.js';
import { limitedSignal } from '../../system/async/limited-signal.js';
import { problemOf } from '../requests/http-problem.js';
import { readMasks } from '../requests/operator-request.js';

/** A comment now and then: a client that is gone is found, and what lies between keeps the connection. */
const BEAT_MS = 15_000;
/** A client that reads nothing for so long is disconnected. */
const PATIENCE_MS = 60_000;
/** A module that is loaded meanwhile may have values to hide. */
const MASKS_MS = 10_000;

const HEAD = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Stored JSON may have line breaks between its values. */
const dataLines = (text: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('');

const writeAll = async (out: ServerResponse, text: string, signal: AbortSignal): Promise<void> => {
  if (out.write(text)) return;
  // Nothing is read from the log until the client has taken what is on its way.
  const limit = limitedSignal(PATIENCE_MS, signal);
  try {
    await once(out, 'drain', { signal: limit.signal });
  } finally {
    limit.end();
  }
};

/**
 * Writes records as server-sent events, until the client leaves, the signal comes, or the log cannot be read. The id of
 * each is its sequence.
 */
export const streamRecords = async (
  nc: NatsConnection,
  query: HistoryQuery,
  firstMasks: Masks,
  out: ServerResponse,
  signal: AbortSignal,
): Promise<void> => {
  let masks = firstMasks;
  let readAt = performance.now();
  out.writeHead(200, HEAD);
  out.write('retry: 2000\n\n');
  const beat = setInterval(() => {
    if (!out.writableNeedDrain) out.write(':\n\n');
  }, BEAT_MS);
  try {
    for await (const record of history(nc, { ...query, signal })) {
      if (performance.now() - readAt > MASKS_MS) {
        const again = await readMasks(nc)();
        if (E.isLeft(again)) throw new FaultError(again.left);
        masks = again.right;
        readAt = performance.now();
      }
      const line = historyLine(maskedRecord(masks, record));
      await writeAll(out, `id: ${record.seq}\n${dataLines(line)}\n`, signal);
    }
  } catch (thrown) {
    if (out.writableNeedDrain) out.destroy();
    else if (!signal.aborted)
      out.write(`event: problem\n${dataLines(JSON.stringify(problemOf(refusal(toFault(thrown)))))}\n`);
  } finally {
    clearInterval(beat);
    out.end();
  }
};
