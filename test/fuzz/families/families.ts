import type { Family } from '../input.js';
import { headerBlocks } from './header-blocks.js';
import { manifests } from './manifests.js';
import { moduleWords } from './module-words.js';
import { operations } from './operations.js';
import { protocolBytes } from './protocol-bytes.js';
import { guestRequests, operatorRequests } from './requests.js';

interface Described {
  readonly family: Family;
  /** How many of a thousand inputs are of it. */
  readonly share: number;
  /** Whether a module that gave its credential away takes part: the log then has what it wrote. */
  readonly module?: true;
}

export const FAMILIES = {
  guest: { family: guestRequests, share: 440 },
  operator: { family: operatorRequests, share: 110 },
  operations: { family: operations, share: 60 },
  headers: { family: headerBlocks, share: 210 },
  bytes: { family: protocolBytes, share: 175 },
  manifests: { family: manifests, share: 5 },
  module: { family: moduleWords, share: 1_000, module: true },
} as const satisfies Record<string, Described>;

export type FamilyName = keyof typeof FAMILIES;

export const FAMILY_NAMES = Object.keys(FAMILIES) as FamilyName[];

export const described = (name: FamilyName): Described => FAMILIES[name];
