import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { findServer } from '../../broker/server/find.js';
import { FaultError } from '../../schemas/errors.js';
import { formatNumber } from '../../text/numbers.js';
import type { ReportTable } from '../bench/scenario.js';
import { flameGraph } from './flame-graph.js';
import { CHUNK_END, FOLDER_END, type NodeChunk, PROFILE_DIR } from './node-chunk.js';
import { ServerProfiles, writeServerProgram } from './server-profiles.js';
import { addGoProfile, addNodeProfile, longest, type SampledStacks, wholeTime } from './sampled-stacks.js';

/** How often samples are taken in, before the folder of a module goes. */
const LOOK_MS = 200;
/** A process that ran for less has no picture, microseconds. */
const LEAST_US = 10_000;
const FUNCTIONS = 3;

/** The samples of one thread of a Node process, or of one server. */
interface Sampled {
  readonly name: string;
  readonly stacks: SampledStacks;
}

/** Takes in what Node processes write. */
class NodeProfiles {
  readonly #all = new Map<string, Sampled>();
  readonly #folders = new Set<string>();

  constructor(private readonly dir: string) {
    this.#folders.add(dir);
  }

  look(): void {
    for (const folder of this.#folders) {
      for (const name of namesIn(folder)) {
        const path = join(folder, name);
        if (folder === this.dir && name.endsWith(FOLDER_END)) this.#folders.add(readFileSync(path, 'utf8'));
        if (name.endsWith(CHUNK_END)) this.#take(path);
      }
    }
  }

  get all(): readonly Sampled[] {
    return [...this.#all.values()];
  }

  #take(path: string): void {
    const { name, pid, thread, profile } = JSON.parse(readFileSync(path, 'utf8')) as NodeChunk;
    rmSync(path);
    const whole = thread === 0 ? `${name}-${pid}` : `${name}-${pid}-thread-${thread}`;
    const known = this.#all.get(whole) ?? { name: whole, stacks: new Map() };
    this.#all.set(whole, known);
    addNodeProfile(known.stacks, profile);
  }
}

/** Names in a folder; none where it is gone. */
const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const rowOf = ({ name, stacks }: Sampled, file: string): readonly string[] => [
  name,
  formatNumber(wholeTime(stacks) / 1_000_000, 2),
  longest(stacks, FUNCTIONS)
    .map(([frame, share]) => `${frame} ${(100 * share).toFixed(0)} %`)
    .join('; '),
  file,
];

/** Samples of all processes of a run, while it runs. */
export interface Profiles {
  /** Writes a flame graph for each process into the folder. Resolves with a table of them. */
  readonly end: () => Promise<ReportTable>;
}

/**
 * Samples this process, each Node process that starts from now on with all its threads, and each nats-server. Throws
 * {@link FaultError} where no server can be had.
 */
export const startProfiles = async (into: string): Promise<Profiles> => {
  mkdirSync(into, { recursive: true });
  const dir = mkdtempSync(join(tmpdir(), 'tallystick-profile-'));
  const server = await findServer()();
  if (isLeft(server)) throw new FaultError(server.left);
  process.env.NATS_SERVER = writeServerProgram(dir, server.right.path);
  process.env[PROFILE_DIR] = dir;
  const preload = new URL('./profile-preload.js', import.meta.url).href;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${preload}`.trim();
  // Some scenarios do all work in this process.
  const { writeSamples } = await import('./profile-preload.js');
  const nodes = new NodeProfiles(dir);
  const servers = new ServerProfiles(dir);
  const timer = setInterval(() => {
    nodes.look();
    servers.look();
  }, LOOK_MS);
  return {
    end: async () => {
      clearInterval(timer);
      writeSamples();
      nodes.look();
      const ofServers = (await servers.end()).map(({ pid, chunks }): Sampled => {
        const stacks: SampledStacks = new Map();
        for (const chunk of chunks) addGoProfile(stacks, chunk);
        return { name: `nats-server-${pid}`, stacks };
      });
      rmSync(dir, { recursive: true, force: true });
      const busy = [...nodes.all, ...ofServers]
        .filter(({ stacks }) => wholeTime(stacks) >= LEAST_US)
        .toSorted((a, b) => wholeTime(b.stacks) - wholeTime(a.stacks));
      const rows = busy.map((sampled) => {
        const file = join(into, `${sampled.name}.svg`);
        writeFileSync(file, flameGraph(sampled.name, sampled.stacks));
        return rowOf(sampled, file);
      });
      return {
        title: 'seconds in samples, and the functions that ran longest',
        heads: ['process', 'seconds', 'functions', 'flame graph'],
        rows,
      };
    },
  };
};
