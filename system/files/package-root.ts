import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FaultError, fault } from '../../schemas/errors.js';

const PACKAGE = 'tallystick';

const isPackageRoot = (dir: string): boolean => {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    return (
      typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === PACKAGE
    );
  } catch {
    return false;
  }
};

/**
 * The directory that holds tallystick's own `package.json`, without a slash at the end.
 *
 * Compiled code is one folder deeper (`dist/`) than the sources, and files that are not compiled (the Go module, for
 * example) are next to the sources. Counting `..` would be right for only one of the two, so the directory is
 * searched for. A package without its root is broken: throws `INTERNAL`.
 */
export const packageRoot = (from: string = import.meta.url): string => {
  for (let dir = dirname(fileURLToPath(from)); ; dir = dirname(dir)) {
    if (isPackageRoot(dir)) return dir;
    if (dir === dirname(dir)) {
      throw new FaultError(fault('INTERNAL', `no package.json of ${PACKAGE} above ${fileURLToPath(from)}`));
    }
  }
};

/** The version of this package. */
export const packageVersion = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  return (manifest as { readonly version: string }).version;
};
