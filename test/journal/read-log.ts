import assert from 'node:assert/strict';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { type ReadOptions, readLog } from '../../journal/read/reader.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { TestServer } from '../support/server.js';

const SUBJECTS = ['cmd.*.*.*', 'cmd.*.*.*.*', 'evt.*.*', 'evt.*.*.*', 'res.*.*', 'res.*.*.*', 'epoch.>'];

export const createLog = async (nc: NatsConnection): Promise<void> => {
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: 'LOG', subjects: SUBJECTS, allow_direct: true });
};

export const dial = (server: TestServer): Promise<NatsConnection> =>
  connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 20, reconnectJitter: 0 });

/** Publishes `count` records in order; record i (from 0) goes to `subjectOf(i)` with payload `{"i":i}`. */
export const fill = async (
  nc: NatsConnection,
  count: number,
  subjectOf: (i: number) => string,
): Promise<void> => {
  const js = jetstream(nc);
  for (let i = 0; i < count; i += 500) {
    const group = Array.from({ length: Math.min(500, count - i) }, (_, k) => i + k);
    await Promise.all(group.map((k) => js.publish(subjectOf(k), JSON.stringify({ i: k }))));
  }
};

export const read = async (nc: NatsConnection, options: ReadOptions = {}): Promise<StoredMessage[]> => {
  const found: StoredMessage[] = [];
  for await (const message of readLog(nc, { signal: AbortSignal.timeout(20_000), ...options }))
    found.push(message);
  assert.equal(options.signal?.aborted ?? false, false);
  return found;
};

export const sequences = (messages: readonly StoredMessage[]): number[] => messages.map(({ seq }) => seq);
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const consumerCount = async (nc: NatsConnection): Promise<number> => {
  const jsm = await jetstreamManager(nc);
  return (await jsm.streams.info('LOG')).state.consumer_count;
};
