import { Redis } from 'ioredis';

/**
 * One connection to a Redis server on loopback. It is not made again when it ends: a benchmark without its peer must
 * fail.
 */
export const connectRedis = async (port: number): Promise<Redis> => {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
  // The command that fails throws the same error.
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
};
