import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCE_FILE } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** The source file from which a module directory was built. Undefined if it was not built from one. */
export const sourceOf = (dir: string): string | undefined => {
  try {
    const { file } = JSON.parse(readFileSync(join(dir, SOURCE_FILE), 'utf8')) as { file?: unknown };
    return typeof file === 'string' ? file : undefined;
  } catch {
    return undefined;
  }
};

/** The path that an author of a module knows: its source file, or the directory with its manifest. */
export const originOf = (dir: string): string => sourceOf(dir) ?? dir;

/** Two modules have one name. The paths are those of {@link originOf}. */
export const nameTaken = (name: string, one: string, other: string): Fault =>
  fault(
    'MODULE_NAME_TAKEN',
    one === other
      ? `${one} is named twice: name it once`
      : `${one} and ${other} are two modules with the name ${name}: give one of them another name`,
  );
