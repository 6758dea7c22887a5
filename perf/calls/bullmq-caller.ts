import { loadFrom } from '../peers/npm-packages.js';
import { depositAt } from './deposit-calls.js';

export interface BullMqSetting {
  /** Where npm installed it. */
  readonly folder: string;
  /** Of Redis on loopback. */
  readonly port: number;
}

interface Options {
  readonly connection: { readonly host: string; readonly port: number };
  readonly concurrency?: number;
}

interface AwaitsReady {
  waitUntilReady(): Promise<unknown>;
}

/** Each job that is waited for has listeners at the queue and at its events. */
interface Emits extends AwaitsReady {
  setMaxListeners(count: number): void;
}

/** The part of BullMQ that is used here. It is no dependency, so its types are not there. */
export interface BullMq {
  readonly Queue: new (
    name: string,
    options: Options,
  ) => Emits & {
    add(name: string, data: unknown): Promise<{ waitUntilFinished(events: Emits): Promise<unknown> }>;
  };
  readonly QueueEvents: new (name: string, options: Options) => Emits;
  readonly Worker: new (name: string, handle: unknown, options: Options) => AwaitsReady;
}

export const QUEUE = 'accounts';

/** Adds jobs, and waits for the result of each. */
export const byBullMq = async ({ folder, port }: BullMqSetting): Promise<(i: number) => Promise<unknown>> => {
  const { Queue, QueueEvents } = loadFrom<BullMq>(folder, 'bullmq');
  const options = { connection: { host: '127.0.0.1', port } };
  const queue = new Queue(QUEUE, options);
  const events = new QueueEvents(QUEUE, options);
  for (const each of [queue, events]) each.setMaxListeners(0);
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return async (i) => (await queue.add('deposit', depositAt(i))).waitUntilFinished(events);
};
