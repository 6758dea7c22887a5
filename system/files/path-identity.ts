import { statSync } from 'node:fs';

/**
 * Which file or directory is at this path. Another one that is made there later has another identity, also if the file
 * system gives it the same number. Undefined: nothing is there, or nobody can look at it.
 */
export const identityOf = (path: string): string | undefined => {
  try {
    const { dev, ino, birthtimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
};
