import { connectRedis } from '../../peers/redis-client.js';
import { type Handle, type RecordReader, type RecordWriter, timeIn } from './log-client.js';

const STREAM = 'records';
const GROUP = 'readers';
const PAGE = 500;
const BLOCK_MS = 200;

type Entry = readonly [id: string, fields: readonly string[]];

/** XADD; records that are given together go in one pipeline. */
export const openRedisWriter = async (port: number): Promise<RecordWriter> => {
  const redis = await connectRedis(port);
  await redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  return {
    append: async (records) => {
      const pipeline = redis.pipeline();
      for (const record of records) pipeline.xadd(STREAM, '*', 'r', Buffer.from(record));
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    },
    close: async () => redis.disconnect(),
  };
};

/** A consumer group: XREADGROUP, and one XACK for each page. */
export const openRedisReader = async (port: number, handle: Handle): Promise<RecordReader> => {
  const redis = await connectRedis(port);
  let isOpen = true;
  const turn = async (): Promise<void> => {
    const more = ['COUNT', PAGE, 'BLOCK', BLOCK_MS, 'STREAMS', STREAM, '>'] as const;
    const found = (await redis.xreadgroup('GROUP', GROUP, 'one', ...more)) as
      | readonly (readonly [string, readonly Entry[]])[]
      | null;
    const entries = found?.[0]?.[1] ?? [];
    if (entries.length === 0) return;
    for (const [, fields] of entries) handle(timeIn(fields[1] as string));
    await redis.xack(STREAM, GROUP, ...entries.map(([id]) => id));
  };
  const loop = (async (): Promise<void> => {
    while (isOpen) await turn();
  })();
  return {
    close: async () => {
      isOpen = false;
      await loop;
      redis.disconnect();
    },
  };
};
