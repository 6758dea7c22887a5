import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPackage } from '../../system/files/own-package.js';
import { stackOf } from '../sdk/thrown-text.js';

const FRAME = /(?:\(|at )((?:file:\/\/)?\/[^()]+):(\d+):(\d+)\)?$/;

/**
 * The first place of the author's code in a stack, `tickets.ts:12:3`, as seen from `cwd`: not in this package and not
 * in Node. Undefined if the stack has none.
 */
export const thrownIn = (thrown: unknown, cwd: string): string | undefined => {
  for (const text of stackOf(thrown).split('\n')) {
    const [, place, line, column] = FRAME.exec(text.trim()) ?? [];
    if (place === undefined) continue;
    const file = place.startsWith('file:') ? fileURLToPath(place) : place;
    if (file.startsWith(`${ownPackage().root}/`)) continue;
    return `${relative(cwd, file)}:${line}:${column}`;
  }
  return undefined;
};
