import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Durability } from '../../schemas/log.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startBenchServer } from '../bench/bench-server.js';
import { type Times, timed } from '../bench/histogram.js';
import { appendOne, DRAFT, openProducer } from '../journal/load.js';

/** One event after the other; by what logs it. */
export type EventLogging = Readonly<Record<string, Times>>;

const EVENTS = { fast: 20_000, slow: 1_000 };
const WARM = 500;

/** What a program does that keeps its events in a file. */
const toFile = async (events: number, isSynced: boolean): Promise<Times> => {
  await using dir = await makeBenchDir();
  const file = openSync(join(dir.path, 'events.log'), 'a');
  try {
    return await timed(events, () => {
      writeSync(file, DRAFT.data as Uint8Array);
      if (isSynced) fdatasyncSync(file);
      return undefined;
    });
  } finally {
    closeSync(file);
  }
};

const toJournal = async (
  durability: Durability,
  events: number,
  say: (line: string) => void,
): Promise<readonly [Times, Times]> => {
  await using server = await startBenchServer(durability, say);
  const producer = await openProducer(server.nc, durability);
  try {
    await timed(Math.min(WARM, events), appendOne(producer));
    const stored = await timed(events, appendOne(producer));
    const waiting: Promise<unknown>[] = [];
    const handedOver = await timed(events, () => {
      waiting.push(appendOne(producer)());
      return undefined;
    });
    await Promise.all(waiting);
    return [stored, handedOver];
  } finally {
    await producer.close();
  }
};

/** The time until an event is where it should be, one event after the other, 256 bytes each. */
export const measureEventLogging = async (
  scale: number,
  say: (line: string) => void,
): Promise<EventLogging> => {
  const fast = Math.max(10, Math.round(EVENTS.fast * scale));
  const slow = Math.max(10, Math.round(EVENTS.slow * scale));
  const [os, handedOver] = await toJournal('os', fast, say);
  const [fsync] = await toJournal('fsync', slow, say);
  return {
    'a file, written': await toFile(fast, false),
    'a file, written and synced': await toFile(slow, true),
    'the journal, handed over': handedOver,
    'the journal, stored, os': os,
    'the journal, stored, fsync': fsync,
  };
};
