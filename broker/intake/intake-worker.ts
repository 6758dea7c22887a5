import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { BatchCredit } from './batch-credit.js';
import { connectionOf } from './connection-of.js';
import { Lines } from './lines.js';
import type { Arrival, FromThread, ThreadData, ToThread } from './intake-messages.js';
import { Quota } from './quota.js';
import { StrikeCount } from './strikes.js';
import { UnknownCount } from './unknown-count.js';
import { Wire } from './wire.js';
import type { Announced } from './wire-reader.js';

/**
 * The thread that reads what people send, and does nothing else: the server holds 12 MiB for a connection, and tells
 * all who ask then that there is no responder. So this thread reads on, whatever the broker's own thread does.
 * Requests without room is passed on without its payload, to be refused.
 */

/** The broker is given so much at once, and no more than so many times before it has gone through one. */
const BATCH = { requests: 256, bytes: 256 * 1024 };
const BATCHES = 2;
/**
 * Requests that wait for the broker here; above it this thread waits, and the server replies to senders that there is
 * no responder.
 */
const MOST_REQUESTS = 150_000;
const WAIT_MS = 5;
/** Of a request without its payload so many bytes of headers are passed on, or none. */
const MOST_HEADERS = 4_096;
/** From so many bytes on a request is passed on as it is, and not copied to others. */
const LARGE_BYTES = 8 * 1024;

const port = parentPort;
if (port === null) throw new Error('this is the program of a thread');
const { url, seed, credit: shared } = workerData as ThreadData;
const say = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const quota = new Quota();
const lines = new Lines();
const strikes = new StrikeCount();
const unknown = new UnknownCount();
const sleeper = new Int32Array(new SharedArrayBuffer(4));
/** The server is about to close these. */
const closing = new Set<string>();
const credit = new BatchCredit(shared);
let posted = 0;
let isScheduled = false;
/** The one whose payload comes. */
let coming: Arrival | undefined;
let into: Uint8Array<ArrayBuffer> | undefined;

const hasCredit = (): boolean => {
  // Both count modulo 2^32.
  if (((posted - credit.seen) | 0) < BATCHES) return true;
  credit.wait();
  return ((posted - credit.seen) | 0) < BATCHES;
};

const post = (): void => {
  isScheduled = false;
  while (lines.size > 0 && hasCredit()) {
    const pieces = lines.take(BATCH.requests, BATCH.bytes);
    const small = pieces.filter(({ bytes }) => bytes.length < LARGE_BYTES);
    const large = pieces.filter(({ bytes }) => bytes.length >= LARGE_BYTES).map(({ bytes }) => bytes.buffer);
    const all = new Uint8Array(small.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes } of small) {
      all.set(bytes, at);
      at += bytes.length;
    }
    posted += 1;
    const arrivals = pieces.map(({ arrival, bytes }) =>
      bytes.length < LARGE_BYTES ? arrival : { ...arrival, own: bytes.buffer },
    );
    say({ kind: 'batch', arrivals, bytes: all.buffer }, [all.buffer, ...large]);
  }
};

/** Not read on, the connection fills up, and the server takes no more for it. */
const waitForRoom = (): void => {
  while (lines.size > MOST_REQUESTS) {
    const next = receiveMessageOnPort(port) as { readonly message: ToThread } | undefined;
    if (next === undefined) Atomics.wait(sleeper, 0, 0, WAIT_MS);
    else obey(next.message);
  }
};

const end = (): void => {
  if (coming === undefined || into === undefined) return;
  lines.add({ arrival: coming, bytes: into });
  coming = undefined;
  into = undefined;
  if (lines.size > MOST_REQUESTS) return waitForRoom();
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(post);
};

/** From here on nothing of it is read. */
const cut = (connection: string, why: string): void => {
  closing.add(connection);
  say({ kind: 'floods', connection, why });
};

const place = ({ subject, sid, reply, headers, size }: Announced): Uint8Array | undefined => {
  const connection = `${subject.slice(subject.lastIndexOf('.') + 1)}/${connectionOf(headers)}`;
  if (closing.has(connection)) return undefined;
  if (unknown.isFlood(subject, connection) && !connection.endsWith('/')) {
    cut(connection, 'requests for modules that are not known');
    return undefined;
  }
  const { weight, isLeftOut, floods } = quota.take(connection, size);
  const sendsOn = isLeftOut && (strikes.add(connection, size) || floods);
  if (sendsOn && !connection.endsWith('/')) cut(connection, 'requests that the broker had no room for');
  const kept = isLeftOut && headers.length > MOST_HEADERS ? headers.subarray(0, 0) : headers;
  const whole = isLeftOut ? kept.length : size;
  into = new Uint8Array(whole);
  into.set(kept);
  coming = { id: sid, subject, reply, connection, weight, isLeftOut, headerBytes: kept.length, size: whole };
  return isLeftOut ? undefined : into.subarray(kept.length);
};

let isFirst = true;
const wire = new Wire({
  url,
  seed,
  place,
  end,
  opened: () => {
    if (isFirst) say({ kind: 'opened' });
    isFirst = false;
  },
  lost: (text) => {
    if (coming !== undefined)
      quota.release({ connection: coming.connection, requests: 1, bytes: coming.weight });
    coming = undefined;
    into = undefined;
    say(isFirst ? { kind: 'failed', text } : { kind: 'lost' });
  },
});

const obey = (message: ToThread): void => {
  switch (message.kind) {
    case 'released':
      for (const held of message.held) quota.release(held);
      return post();
    case 'modules':
      return unknown.know(message.names);
    case 'shut':
      return void closing.add(message.connection);
    case 'open':
      return void closing.delete(message.connection);
    case 'subscribe':
      return wire.subscribe(message.id, message.subject);
    case 'unsubscribe':
      return wire.unsubscribe(message.id);
    case 'flush':
      return wire.flush(() => say({ kind: 'flushed' }));
  }
};

port.on('message', obey);
