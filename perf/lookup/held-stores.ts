import { join } from 'node:path';
import { Lifetime } from '../../system/lifetime.js';
import { type Reaper, startReaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startBenchServer } from '../bench/bench-server.js';
import { startRedis } from '../peers/redis-server.js';
import type { Peers } from './peers.js';
import { type Program, startProgram } from '../../system/processes/program.js';
import type { ReaderQuestions } from './reader-main.js';
import type { StoreLocation } from './stores/store.js';
import type { WriterQuestions } from './writer-main.js';
import { formatNumber } from '../../text/numbers.js';

/** All agents in one store, with the process that writes their states and the one that looks them up. */
export interface HeldStore {
  readonly store: StoreLocation['store'];
  /** Of a peer's program. */
  readonly version: string | undefined;
  readonly writer: Program<WriterQuestions>;
  readonly reader: Program<ReaderQuestions>;
}

interface Placed {
  readonly place: StoreLocation;
  readonly version?: string;
}

/** Where the states are to be put; servers are started, until `life` ends. */
const placesFor = async (
  peers: Peers,
  reaper: Reaper,
  life: Lifetime,
  say: (line: string) => void,
): Promise<readonly Placed[]> => {
  const own = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    life.onStop(() => started[Symbol.asyncDispose]());
    return started;
  };
  const { path: dir } = await own(makeBenchDir());
  const places: Placed[] = [{ place: { store: 'snapshots', dataDir: dir } }];
  if (peers.nats) {
    const { url, version } = await own(startBenchServer('os', say));
    places.push({ place: { store: 'nats', url }, version });
  }
  if (peers.redis !== undefined) {
    const { port } = await own(startRedis(peers.redis, dir, reaper));
    places.push({ place: { store: 'redis', port }, version: peers.redis.version });
  }
  if (peers.sqlite !== undefined) {
    const { folder, version } = peers.sqlite;
    places.push({ place: { store: 'sqlite', file: join(dir, 'states.sqlite'), folder }, version });
  }
  return places;
};

/** Makes every store hold so many agents while `work` runs. Then all of it is ended and removed. */
export const withHeld = async <T>(
  agents: number,
  peers: Peers,
  say: (line: string) => void,
  work: (held: readonly HeldStore[]) => Promise<T>,
): Promise<T> => {
  const life = new Lifetime();
  try {
    const reaper = startReaper();
    life.onStop(() => reaper.close());
    const held: HeldStore[] = [];
    for (const { place, version } of await placesFor(peers, reaper, life, say)) {
      const writer = startProgram<WriterQuestions>(new URL('writer-main.js', import.meta.url), place, reaper);
      life.onStop(() => writer[Symbol.asyncDispose]());
      await writer.ask('fill', agents);
      say(`${place.store} holds ${formatNumber(agents)} agents`);
      const reader = startProgram<ReaderQuestions>(new URL('reader-main.js', import.meta.url), place, reaper);
      life.onStop(() => reader[Symbol.asyncDispose]());
      held.push({ store: place.store, version, writer, reader });
    }
    return await work(held);
  } finally {
    await life.stop();
  }
};
