import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirs } from '../../system/files/make-dirs.js';
import { processState } from '../../system/processes/process-identity.js';

/** A directory next to the generations of a module, and none of them: for states that a process folds again. */
const NAME = /^rebuild-([1-9]\d*)-\d+$/;

let begun = 0;

/** Removes what processes have left behind that died while they folded. */
export const removeDeadScratch = (dir: string): void => {
  for (const name of readdirSync(dir)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && processState(Number(pid)).kind === 'gone')
      rmSync(join(dir, name), { recursive: true, force: true });
  }
};

/** Makes an empty directory to fold a module's states in. The caller removes it, or has it adopted. */
export const beginScratch = (dir: string): string => {
  makeDirs(dir);
  removeDeadScratch(dir);
  begun += 1;
  const path = join(dir, `rebuild-${process.pid}-${begun}`);
  // What is there is of a process that had this number before.
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  return path;
};
