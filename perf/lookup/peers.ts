import { LOOKUP_PEERS } from './stores/store.js';
import { findRedis, type RedisProgram } from '../peers/redis-server.js';
import { findSqlite, type SqlitePackage } from '../peers/better-sqlite3.js';

/** Those of the peers that are wanted and that are to be had on this machine. */
export interface Peers {
  readonly nats: boolean;
  readonly redis: RedisProgram | undefined;
  readonly sqlite: SqlitePackage | undefined;
}

export const findPeers = async (
  wanted: readonly string[] = LOOKUP_PEERS,
  say: (line: string) => void,
): Promise<Peers> => {
  for (const peer of LOOKUP_PEERS)
    if (!wanted.includes(peer)) say(`without ${peer} as a peer: it is not in --peers`);
  return {
    nats: wanted.includes('nats'),
    redis: wanted.includes('redis') ? await findRedis(say) : undefined,
    sqlite: wanted.includes('sqlite') ? await findSqlite(say) : undefined,
  };
};
