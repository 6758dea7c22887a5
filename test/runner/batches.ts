import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { loadedBy } from './import-graph.js';
import type { TierName } from './tiers.js';

/** Files of a tier that run one after the other in one process, or one file that has a process to itself. */
export interface Batch {
  readonly tier: TierName;
  readonly files: readonly string[];
}

/** Small enough that a batch does not run alone at the end, and that one which fails shows where. */
export const BATCH_FILES = 12;

/** What a test file may use of `process` and leave as it found it. */
const READ_ONLY = String.raw`execPath\b|pid\b|versions?\b|platform\b|arch\b|cwd\(|nextTick\b|env\.\w+(?! *=[^=])\b|stderr\.write\(`;

/**
 * What another file of the same process would notice: changes of the process, clocks that stand still, hooks of all tests, measures
 * of the whole process, and programs and threads, which the runner looks for when a process ends.
 */
const NOTICED = [
  String.raw`\bprocess\.(?!${READ_ONLY})`,
  String.raw`\bprocess\[|\bdelete process\b`,
  String.raw`\bglobalThis\b`,
  String.raw`\bmock\b`,
  "'node:(?:child_process|worker_threads|cluster|v8|vm|process)'",
  String.raw`^(?:before|after|beforeEach|afterEach)\(`,
  String.raw`/processor-time\.js'`,
];

export const isNoticed = (text: string): boolean => new RegExp(NOTICED.join('|'), 'm').test(text);

/** Whether a file of the unit tier leaves nothing in its process that the next file could notice. */
export const canShare = (file: string): boolean =>
  [...loadedBy(file)]
    .filter((loaded) => loaded.startsWith('test/'))
    .every((loaded) => !isNoticed(readFileSync(join(PROJECT_ROOT, loaded), 'utf8')));

/** Files of one process, because they share a broker: its start and its work take longer than the tests. */
export const SHARING: readonly (readonly string[])[] = [
  ['causes', 'missing', 'sound', 'statements'].map((what) => `test/replay/verify-${what}.test.ts`),
];

/** The files in their order. Half of the time of a pure test file was the start of its process and what that loads. */
export const batchesOf = (files: readonly { readonly tier: TierName; readonly file: string }[]): Batch[] => {
  const batches: { tier: TierName; files: string[]; shares: unknown }[] = [];
  for (const { tier, file } of files) {
    const shares = SHARING.find((group) => group.includes(file)) ?? (tier === 'unit' && canShare(file));
    const open = batches.find((batch) => batch.shares === shares && batch.files.length < BATCH_FILES);
    if (shares !== false && open !== undefined) open.files.push(file);
    else batches.push({ tier, files: [file], shares });
  }
  return batches;
};
