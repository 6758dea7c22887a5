import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../../schemas/manifest.js';

/** What the program `mallory.ts` leaves in its directory. */
export interface Loot {
  readonly seed: string;
  readonly environment: Readonly<Record<string, string>>;
}

const MANIFEST: Manifest = {
  name: 'mallory',
  version: '1.0.0',
  description: 'Gives its credential away.',
  actions: { act: { input: true, output: true } },
  events: { seen: { data: true } },
  dependencies: { accounts: ['balance'] },
  cage: { write: ['.'] },
  start: { command: [process.execPath, join(import.meta.dirname, 'mallory.js')] },
};

/** Makes a directory that of the module `mallory`. */
export const writeMallory = (dir: string): void =>
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(MANIFEST));

export const readLoot = (dir: string): Loot =>
  JSON.parse(readFileSync(join(dir, 'loot.json'), 'utf8')) as Loot;
