import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';

export interface Document {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

const read = (path: string): Document => ({ path, text: readFileSync(join(PROJECT_ROOT, path), 'utf8') });

const markdownIn = (folder: string): readonly string[] =>
  readdirSync(join(PROJECT_ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => `${folder}/${name}`);

/** A guide may need what a guide before it made, and all need what the README made. */
const FOLDERS = ['docs', 'docs/guides', 'docs/reference', 'docs/internals', 'docs/decisions'];

/** The README first: what it makes is there for those that follow. */
export const documents = (): readonly Document[] =>
  ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...FOLDERS.flatMap(markdownIn)].map(read);
