import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { PackageJson, SourceFile } from './imports.js';

const NOT_OURS = /^(?:node_modules|dist|\..*)$/;

/** What users write: the project that `npm create` makes, and the examples. */
const OF_USERS = /^(?:create\/template|examples)\//;

/** JavaScript with types in comments: this package has no build step. */
const CREATE = /^create\/[^/]+\.js$/;

const typescript = (root: string): SourceFile[] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => !NOT_OURS.test(entry.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' }).map((file) =>
            join(entry.name, file),
          )
        : [entry.name],
    )
    .filter((file) => (/\.[cm]?tsx?$/.test(file) || CREATE.test(file)) && !/\bnode_modules\b/.test(file))
    .map((file) => ({ path: file.split(sep).join('/'), text: readFileSync(join(root, file), 'utf8') }));

/** All sources of the product and its tests, also in folders that no rule knows yet. */
export const sourceFiles = (root: string): SourceFile[] =>
  typescript(root).filter(({ path }) => !OF_USERS.test(path));

/** All TypeScript that stands for the code of a user. */
export const userFiles = (root: string): SourceFile[] =>
  typescript(root).filter(({ path }) => OF_USERS.test(path));

export const packageJson = (root: string): PackageJson =>
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;
