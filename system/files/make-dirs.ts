import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/**
 * Makes a directory and those above it; an existing one is fine. Throws the error of the system. `mkdirSync` with
 * `recursive` is not used: where a file system refuses a directory with ENOENT although the parent exists, as /proc
 * does, it never returns, and the process does not even hear SIGTERM (Node 20).
 */
export const makeDirs = (path: string, mode = 0o700): void => {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isDirectory(path)) return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path || isDirectory(parent)) throw error;
    makeDirs(parent, mode);
    makeDirs(path, mode);
  }
};
