import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** Written by `build/compile-command-line.mjs`: the command line as one file, and V8's compiled form of it. */
const FILE = join(import.meta.dirname, '..', 'chunks', 'command-line.cjs');

/** Coverage and source maps need the code as it is written. */
const isWatched = process.env.NODE_V8_COVERAGE !== undefined || process.execArgv.length > 0;

/**
 * What the command line exports, without compiling it: half of a short command was that. Undefined if no build has
 * compiled it for this Node; a package from the registry has no compiled code.
 */
export const compiledCode = <T>(): T | undefined => {
  if (isWatched) return undefined;
  try {
    const cachedData = readFileSync(`${FILE}.compiled`);
    // V8 compares only lengths. The build writes the compiled file last, and removes it first.
    const script = new Script(readFileSync(FILE, 'latin1'), { filename: FILE, cachedData });
    if (script.cachedDataRejected === true) return undefined;
    const module = { exports: {} };
    const importIt = (specifier: string): Promise<unknown> => import(specifier);
    script.runInThisContext()(module.exports, createRequire(FILE), module, FILE, dirname(FILE), importIt);
    return module.exports as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};
