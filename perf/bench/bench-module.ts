import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A module that a benchmark loads without a build: its manifest, and its code behind `const manifest = …`. */
export interface BenchModule {
  readonly manifest: { readonly name: string; readonly [member: string]: unknown };
  readonly code: string;
}

/** Writes it into a new folder of `dir`. The path of that folder. */
export const writeBenchModule = (dir: string, { manifest, code }: BenchModule): string => {
  const path = join(dir, manifest.name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(path, 'package.json'), '{"type":"module"}');
  writeFileSync(join(path, 'index.js'), `const manifest = ${JSON.stringify(manifest)};\n${code}`);
  return path;
};

/** An action of a decider that keeps nothing: what every benchmark of messages needs. */
export const plainAction = (properties: object = {}) => ({
  agent: 'required',
  input: { type: 'object', properties, required: Object.keys(properties) },
  output: { type: 'object' },
});
