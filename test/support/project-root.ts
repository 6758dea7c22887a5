import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const nearestPackage = (folder: string): string => {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('No package.json above the tests.');
  return nearestPackage(parent);
};

/** The folder of package.json. Tests run from `dist/`, while sources, fixtures and documents stay where they are. */
export const PROJECT_ROOT = nearestPackage(import.meta.dirname);
