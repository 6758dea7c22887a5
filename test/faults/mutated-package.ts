import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { PROJECT_ROOT } from '../support/project-root.js';

/** A bug that is put into compiled code: in this file, this text becomes that one. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const packageJson = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
  readonly files: readonly string[];
};

/** The build has replaced these files by bundles, which do not read the mutated file, and has compiled one of them. */
const unbundle = (dir: string): void => {
  rmSync(join(dir, 'dist', 'chunks', 'command-line.cjs.compiled'), { force: true });
  for (const path of packageJson.files.filter((file) => /^dist\/.*\.js$/.test(file))) {
    const source = path.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    const { code } = transformSync(readFileSync(join(PROJECT_ROOT, source), 'utf8'), { loader: 'ts' });
    writeFileSync(join(dir, path), code);
  }
};

/** Copies the built package, with a bug in it or none; its command line. */
export const mutatedPackage = (dir: string, mutation?: Mutation): string => {
  cpSync(join(PROJECT_ROOT, 'dist'), join(dir, 'dist'), {
    recursive: true,
    filter: (path) => path !== join(PROJECT_ROOT, 'dist', 'test'),
  });
  unbundle(dir);
  cpSync(join(PROJECT_ROOT, 'package.json'), join(dir, 'package.json'));
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(dir, 'node_modules'));
  if (mutation !== undefined) {
    const path = join(dir, 'dist', mutation.file);
    const parts = readFileSync(path, 'utf8').split(mutation.from);
    // Code that has changed must not leave a mutation behind that changes nothing.
    assert.equal(parts.length, 2, `${mutation.file} has exactly once: ${mutation.from}`);
    writeFileSync(path, parts.join(mutation.to));
  }
  return join(dir, 'dist', 'bin', 'tallystick.js');
};
