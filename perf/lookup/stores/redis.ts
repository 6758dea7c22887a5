import { connectRedis } from '../../peers/redis-client.js';
import { encodeFound, type FoundState, MODULE } from './population.js';
import type { StateReader, StateWriter } from './store.js';

const keyOf = (agent: string): string => `${MODULE}:${agent}`;

/** A SET for each change, a group of them by one write. */
export const redisWriter = async (port: number): Promise<StateWriter> => {
  const redis = await connectRedis(port);
  return {
    put: async (changes) => {
      const pipeline = redis.pipeline();
      for (const change of changes) pipeline.set(keyOf(change.agent), encodeFound(change));
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    },
    close: () => redis.disconnect(),
  };
};

export const redisReader = async (port: number): Promise<StateReader> => {
  const redis = await connectRedis(port);
  return {
    get: {
      async: async (agent) => {
        const text = await redis.get(keyOf(agent));
        return text === null ? undefined : (JSON.parse(text) as FoundState);
      },
    },
    close: () => redis.disconnect(),
  };
};
