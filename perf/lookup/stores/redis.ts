import { RespConnection } from '../../peers/resp.js';
import { encodeFound, type Found, MODULE } from './population.js';
import type { StateReader, StateWriter } from './store.js';

const keyOf = (agent: string): string => `${MODULE}:${agent}`;

/** A SET for each change, a group of them by one write. */
export const redisWriter = async (port: number): Promise<StateWriter> => {
  const connection = await RespConnection.open(port);
  return {
    put: (changes) =>
      connection.pipeline(changes.map((change) => ['SET', keyOf(change.agent), encodeFound(change)])),
    close: () => connection.close(),
  };
};

export const redisReader = async (port: number): Promise<StateReader> => {
  const connection = await RespConnection.open(port);
  return {
    get: {
      async: async (agent) => {
        const text = await connection.send('GET', keyOf(agent));
        return typeof text === 'string' ? (JSON.parse(text) as Found) : undefined;
      },
    },
    close: () => connection.close(),
  };
};
