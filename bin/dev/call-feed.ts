import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { causeOf, type HistoryRecord, toHistory, type WholeMessage } from '../../schemas/record.js';
import type { Masks } from '../../schemas/masks.js';
import type { Result } from '../../schemas/result.js';
import type { SeenCall } from './dev-event.js';

/** Commands without a result that are remembered. A module that is down may get any number. */
const MOST_OPEN = 10_000;

interface OpenCall {
  readonly record: HistoryRecord;
  readonly storedUs: number;
}

const microseconds = ({ nanos }: WholeMessage): number => Number(BigInt(nanos) / 1_000n);

const seenCall = (
  seq: number,
  { record: { time, module, name, agent, sender, payload }, storedUs }: OpenCall,
  result: Result,
  decidedUs: number,
): SeenCall => ({
  event: 'call',
  seq,
  time,
  module: module ?? '',
  action: name ?? '',
  agent,
  sender,
  input: payload.value,
  status: result.status,
  ...(result.status === 'ok' ? { output: result.data } : { error: result.error }),
  ms: Math.round((decidedUs - storedUs) / 100) / 10,
});

export interface CallFeedOptions {
  /** Where to begin to read. */
  readonly fromSeq: number;
  readonly signal: AbortSignal;
  /** What is hidden now: a module that is saved may mark more. */
  readonly masks: () => Masks;
}

/** The commands that get their result from now on, in the order of the results.  */
export async function* callFeed(
  nc: NatsConnection,
  { fromSeq, signal, masks }: CallFeedOptions,
): AsyncGenerator<SeenCall, void, void> {
  const open = new Map<number, OpenCall>();
  const filters = ['cmd.>', 'res.>'];
  for await (const message of readLog(nc, { fromSeq, filters, follow: true, signal })) {
    const record = toHistory(masks().message(message));
    if (record.kind === 'cmd') {
      open.set(record.seq, { record, storedUs: microseconds(message) });
      const [oldest] = open.keys();
      if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest);
      continue;
    }
    const cause = causeOf(message);
    const call = cause === undefined ? undefined : open.get(cause);
    if (cause === undefined || call === undefined) continue;
    open.delete(cause);
    yield seenCall(cause, call, record.payload.value as Result, microseconds(message));
  }
}
