import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPS } from '../../../schemas/operate.js';
import type { Seeded } from '../../support/seeded.js';
import { SERVED } from '../generate/address.js';
import { manifestJson } from '../generate/manifest.js';
import { oddText } from '../generate/odd-text.js';
import type { Family } from '../input.js';
import type { World } from '../world.js';

/** What a load may take: some programs are started, and wait for their turn. */
const LOAD_MS = 60_000;

/** A program that ends at once: what is loaded here must not become ready. */
const ENDS = [process.execPath, '-e', '0'] as const;
const MISSING = ['/nowhere/program'] as const;

/** What stands in the place of `manifest.json`, or of the directory. */
const PLACES = ['fifo', 'zero', 'directory', 'loop', 'none', 'file', 'proc'] as const;
type Place = (typeof PLACES)[number];

const make = (dir: string, place: Place): string => {
  const manifest = join(dir, 'manifest.json');
  switch (place) {
    case 'fifo':
      execFileSync('mkfifo', [manifest]);
      return dir;
    case 'zero':
      symlinkSync('/dev/zero', manifest);
      return dir;
    case 'directory':
      mkdirSync(manifest);
      return dir;
    case 'loop':
      symlinkSync(manifest, manifest);
      return dir;
    case 'none':
      return join(dir, 'none');
    case 'file':
      writeFileSync(manifest, '{}');
      return manifest;
    case 'proc':
      symlinkSync('/proc/self/mem', manifest);
      return dir;
  }
};

interface Answer {
  readonly name?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

const ask = async (world: World, subject: string, body: unknown): Promise<Answer> =>
  (await world.operator.request(subject, JSON.stringify(body), { timeout: LOAD_MS })).json<Answer>();

/** The module goes again, whether it was loaded, parked or refused. */
const forget = async (world: World, name: string): Promise<void> => {
  if ((SERVED as readonly string[]).includes(name)) return;
  await ask(world, OPS.moduleUnload, { name, withDependents: true });
  await ask(world, 'ops.module.remove', { name });
};

const load = async (world: World, dir: string): Promise<string | undefined> => {
  const answer = await ask(world, OPS.moduleLoad, { dir });
  if (answer.error?.code === 'INTERNAL') return `the answer is ${JSON.stringify(answer)}`;
  return undefined;
};

const inDirectory =
  (work: (dir: string, world: World) => Promise<string | undefined>) =>
  async (world: World): Promise<string | undefined> => {
    const dir = world.scratchDir();
    try {
      return await work(dir, world);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };

const nameIn = (json: string): string | undefined => {
  try {
    const { name } = JSON.parse(json) as { name?: unknown };
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
};

const ofText = (
  random: Seeded,
): { readonly text: string; readonly run: (world: World) => Promise<string | undefined> } => {
  const text = manifestJson(random, random.next() < 0.02 ? ENDS : MISSING);
  return {
    text: `manifest ${text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text}`,
    run: inDirectory(async (dir, world) => {
      writeFileSync(join(dir, 'manifest.json'), Buffer.from(text, 'latin1'));
      const problem = await load(world, dir);
      const name = nameIn(text);
      if (name !== undefined) await forget(world, name);
      return problem;
    }),
  };
};

/** Directories of modules as they should not be, given to the broker to load. */
export const manifests: Family = (random) => {
  const chance = random.next();
  if (chance < 0.85) return { type: 'action', kind: 'manifest', ...ofText(random) };
  if (chance < 0.93) {
    const place = random.pick(PLACES);
    const run = inDirectory((dir, world) => load(world, make(dir, place)));
    return { type: 'action', kind: `place ${place}`, text: `in the place of manifest.json: ${place}`, run };
  }
  const path = random.pick([
    '/dev/zero',
    '/dev/stdin',
    '/proc/self/fd',
    '/',
    '\0',
    '',
    'x'.repeat(5_000),
    oddText(random),
  ]);
  return {
    type: 'action',
    kind: 'path',
    text: `path ${JSON.stringify(path)}`,
    run: (world) => load(world, path),
  };
};
