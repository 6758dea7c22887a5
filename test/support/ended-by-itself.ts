import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Whether the last process of a module ended as it was asked to: one that is killed leaves its notes of commands in hand. */
export const endedByItself = (dataDir: string, module: string): boolean =>
  !existsSync(join(dataDir, 'snapshots', module, 'in-hand'));
