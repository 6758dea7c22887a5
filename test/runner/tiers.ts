/** Test files at a time, each in a process of its own, on two cores: most of their time is waiting. */
export const AT_A_TIME = 3;

/** What a test file needs decides its tier, and its folder under `test/` says what it needs. */
export interface Tier {
  /** In the order in which they are run: first where the longest files are, so that none of them is left alone at the end. */
  readonly folders: readonly string[];
  readonly fileTimeoutMs: number;
}

export const TIERS = {
  /** Pure code. */
  unit: {
    folders: ['architecture', 'modules', 'runner', 'schemas'],
    fileTimeoutMs: 240_000,
  },
  /** A real nats-server. */
  broker: {
    folders: ['journal', 'broker', 'store', 'system', 'replay', 'transfer', 'perf', 'support'],
    fileTimeoutMs: 240_000,
  },
  /** The broker as people meet it: `tallystick`, the stock `nats` command line, the documents. */
  cli: {
    folders: ['docs', 'cli'],
    fileTimeoutMs: 240_000,
  },
  /** Kills, stalls, damage and odd input. Their deadlines leave room for neighbours. */
  faults: {
    folders: ['faults', 'fuzz'],
    fileTimeoutMs: 600_000,
  },
} as const satisfies Record<string, Tier>;

export type TierName = keyof typeof TIERS;

export const TIER_NAMES = Object.keys(TIERS) as TierName[];

export const isTierName = (name: string): name is TierName => Object.hasOwn(TIERS, name);

const folderOf = (file: string): string => /^test\/([^/]+)\//.exec(file)?.[1] ?? '';

/** The tier of a file such as `test/broker/start.test.ts`. */
export const tierOf = (file: string): TierName | undefined =>
  TIER_NAMES.find((name) => (TIERS[name].folders as readonly string[]).includes(folderOf(file)));

/** Which of its tier's folders a file is in, from 0. */
export const turnOf = (tier: TierName, file: string): number =>
  (TIERS[tier].folders as readonly string[]).indexOf(folderOf(file));
