import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.js';

/** The installed package. */
export interface OwnPackage {
  /** Its directory, without symbolic links and without a slash at the end. */
  readonly root: string;
  readonly version: string;
}

let known: OwnPackage | undefined;

export const ownPackage = (): OwnPackage => {
  if (known === undefined) {
    const root = realpathSync(packageRoot());
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    known = { root, version };
  }
  return known;
};
