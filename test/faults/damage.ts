import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import type { Seeded } from '../support/seeded.js';

/** What a disk may do to a file: a bit changes, a page was never written, the end is gone. */
export const DAMAGES = ['flip', 'zero', 'truncate'] as const;
export type Damage = (typeof DAMAGES)[number];

const PAGE_BYTES = 4_096;

/**
 * Damages a file at a place that is drawn by lot; says what was done. `spared`: places of which no single bit is changed, by
 * the bytes of the file.
 */
export const damageFile = (
  path: string,
  damage: Damage,
  random: Seeded,
  spared: (bytes: Buffer, at: number) => boolean = () => false,
): string => {
  const { size } = statSync(path);
  let at = random.int(0, size - 1);
  if (damage === 'truncate') {
    truncateSync(path, at);
    return `cut off at ${at} of ${size}`;
  }
  const bytes = readFileSync(path);
  if (damage === 'zero') {
    const page = at - (at % PAGE_BYTES);
    bytes.fill(0, page, Math.min(size, page + PAGE_BYTES));
    writeFileSync(path, bytes);
    return `zeros from ${page} on, of ${size}`;
  }
  while (spared(bytes, at)) at = random.int(0, size - 1);
  const bit = random.int(0, 7);
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
  writeFileSync(path, bytes);
  return `bit ${bit} of byte ${at} of ${size}`;
};
