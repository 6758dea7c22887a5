import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';

/**
 * The test files, as paths from the root. The sources are listed and not `dist/`, where the output of a test that
 * was renamed or removed may still lie.
 */
export const testFiles = (root = PROJECT_ROOT): string[] =>
  readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => `test/${file.split(sep).join('/')}`)
    .filter((file) => file.endsWith('.test.ts'))
    .sort();

/** What the compiler makes of a source file. */
export const compiledFile = (file: string): string =>
  join(PROJECT_ROOT, 'dist', file.replace(/\.ts$/, '.js'));
