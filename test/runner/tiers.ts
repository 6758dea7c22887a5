import { availableParallelism } from 'node:os';
import { loadedBy } from './import-graph.js';

/** What a test file loads and its folder under `test/` decide its tier. */
export interface Tier {
  /** In the order in which they run: first the folder with the longest files, so that no long file runs alone at the end. */
  readonly folders: readonly string[];
  readonly fileTimeoutMs: number;
  /** Files at a time, each in a separate process. */
  readonly width: number;
}

const CORES = availableParallelism();
/** Of so many files one waits: for a process to start, for a disk, for a time that it tests. */
const WAITING = 2;

export const TIERS = {
  /** Needs no server and no program of Go's. A file of any folder is in this tier if it loads none of {@link PROGRAMS}. */
  unit: {
    folders: [],
    fileTimeoutMs: 240_000,
    width: CORES + 1,
  },
  /** A real nats-server. */
  broker: {
    folders: [
      'journal',
      'broker',
      'link',
      'store',
      'system',
      'transfer',
      'testing',
      'replay',
      'perf',
      'support',
      'architecture',
      'modules',
      'runner',
      'schemas',
    ],
    fileTimeoutMs: 600_000,
    width: CORES + WAITING,
  },
  /** The broker as people meet it: `tallystick`, the stock `nats` command line, the documents. */
  cli: {
    folders: ['docs', 'cli', 'http'],
    fileTimeoutMs: 600_000,
    width: CORES + WAITING,
  },
  /** Kills, stalls, damage and odd input. Their deadlines leave room for neighbours. */
  faults: {
    folders: ['faults', 'fuzz'],
    fileTimeoutMs: 600_000,
    width: CORES + 1,
  },
} as const satisfies Record<string, Tier>;

/** Each of these starts a server, the command line or a program of Go's. A test that does so loads one of them. */
export const PROGRAMS: readonly string[] = [
  'test/support/program-paths.ts',
  'test/support/folding.ts',
  'test/perf/perf.ts',
  'test/faults/mutated-package.ts',
  'perf/tools/go-build.ts',
  'perf/calls/call-peers.ts',
];

export type TierName = keyof typeof TIERS;

export const TIER_NAMES = Object.keys(TIERS) as TierName[];

export const isTierName = (name: string): name is TierName => Object.hasOwn(TIERS, name);

const foldersOf = (tier: TierName): readonly string[] => TIERS[tier].folders;

const folderOf = (file: string): string => /^test\/([^/]+)\//.exec(file)?.[1] ?? '';

/** The tier of a file such as `test/broker/start.test.ts` that needs a server. */
export const tierOfFolder = (file: string): TierName | undefined =>
  TIER_NAMES.find((name) => foldersOf(name).includes(folderOf(file)));

/** The tier of a test file. */
export const tierOf = (file: string): TierName | undefined => {
  const tier = tierOfFolder(file);
  if (tier === undefined) return undefined;
  const loaded = loadedBy(file);
  return PROGRAMS.some((program) => loaded.has(program)) ? tier : 'unit';
};

/** Which of its tier's folders a file is in, from 0. */
export const turnOf = (tier: TierName, file: string): number => foldersOf(tier).indexOf(folderOf(file));
