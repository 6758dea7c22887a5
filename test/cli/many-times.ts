import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { follow } from '../support/children.js';
import type { ProgramResult } from '../support/run-program.js';
import { CLEAN_ENV } from './tallystick.js';
import type { Asked } from './usage-program.js';

export interface ManyTimes extends AsyncDisposable {
  /** One after the other: the streams and the exit code of the process are those of the one that runs. */
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<ProgramResult>;
}

/** The command line in a process that stays, for what many short runs say: most of a run of its own is its start. */
export const tallystickManyTimes = (cwd: string): ManyTimes => {
  const child = fork(join(import.meta.dirname, 'usage-program.js'), {
    cwd,
    env: { ...process.env, ...CLEAN_ENV },
    execArgv: [],
  });
  const exited = follow(child);
  return {
    run: async (args, env = {}) => {
      const answered = once(child, 'message') as Promise<[ProgramResult]>;
      const asked: Asked = { args, env };
      child.send(asked);
      const first = await Promise.race([answered, exited]);
      if (!Array.isArray(first))
        throw new Error(`${args.join(' ')} ended the process: ${JSON.stringify(first)}`);
      return first[0];
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await exited;
    },
  };
};
