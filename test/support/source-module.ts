import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Manifest of a module whose code a test writes as text. */
export const sourceManifest = (name: string, change: object = {}) => ({
  name,
  version: '1.0.0',
  description: 'Code that a test has written.',
  actions: { add: { input: { type: 'object' }, output: {} } },
  events: { added: { data: {} } },
  limits: { crashes: 1, startMs: 10_000 },
  start: { entry: './index.js' },
  ...change,
});

/** An entry file that works: its state is the sum of what was added, `weigh(n)` for each. */
export const workingCode = (name: string, weigh = '(n) => n', before = ''): string => `
${before}
const weigh = ${weigh};
const manifest = ${JSON.stringify(sourceManifest(name))};
export default {
  manifest,
  initial: { sum: 0 },
  actions: {
    add: {
      decide: ({ sum }, { data: { n } }) => ({
        _tag: 'Right',
        right: { data: { sum }, events: [{ name: 'added', data: { n } }] },
      }),
    },
  },
  evolve: { added: ({ sum }, { n }) => ({ sum: sum + weigh(n) }) },
};
`;

/** Writes a module directory: its manifest, and files by their path in it. */
export const writeSourceModule = (
  dir: string,
  manifest: object,
  files: Readonly<Record<string, string>>,
): string => {
  for (const [path, text] of Object.entries({ 'manifest.json': JSON.stringify(manifest), ...files })) {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return dir;
};
