import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { PackageJson, SourceFile } from './imports.js';

const NOT_OURS = /^(?:node_modules|dist|\..*)$/;

/** All TypeScript of a tree, also in folders that no rule knows yet. */
export const sourceFiles = (root: string): SourceFile[] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => !NOT_OURS.test(entry.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' }).map((file) =>
            join(entry.name, file),
          )
        : [entry.name],
    )
    .filter((file) => /\.[cm]?tsx?$/.test(file))
    .map((file) => ({ path: file.split(sep).join('/'), text: readFileSync(join(root, file), 'utf8') }));

export const packageJson = (root: string): PackageJson =>
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;
