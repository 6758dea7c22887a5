import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { init, parse } from 'es-module-lexer';
import { PROJECT_ROOT } from '../support/project-root.js';
import { compiledFile } from './test-files.js';

await init;

const DIST = join(PROJECT_ROOT, 'dist');

const sourceOf = (compiled: string): string =>
  relative(DIST, compiled).split(sep).join('/').replace(/\.js$/, '.ts');

const direct = new Map<string, readonly string[]>();

/** The files of ours that a file imports, as paths of their sources from the root. */
const importsOf = (file: string): readonly string[] => {
  const known = direct.get(file);
  if (known !== undefined) return known;
  const compiled = compiledFile(file);
  const [imports] = existsSync(compiled) ? parse(readFileSync(compiled, 'utf8')) : [[]];
  const found = imports
    .flatMap(({ specifier }) => (specifier?.startsWith('.') ? [specifier] : []))
    .map((specifier) => sourceOf(resolve(dirname(compiled), specifier)));
  direct.set(file, found);
  return found;
};

/** A file and everything of ours that it loads, directly or through other files. Types load nothing. */
export const loadedBy = (file: string): ReadonlySet<string> => {
  const seen = new Set([file]);
  for (const each of seen) for (const next of importsOf(each)) seen.add(next);
  return seen;
};

/** These tests read all sources, whatever they load. */
const READS_ALL = 'test/architecture/';

/** Of these test files, those that a change of these files can reach. What is no source can reach every test. */
export const affectedBy = (changed: readonly string[], files: readonly string[]): string[] => {
  const isSource = (file: string): boolean => file.endsWith('.ts');
  if (!changed.every(isSource)) return [...files];
  return files.filter((file) => {
    const loaded = loadedBy(file);
    return file.startsWith(READS_ALL) || changed.some((each) => loaded.has(each));
  });
};
