import { spawn } from 'node:child_process';

/** Uses one processor until it is ended, or until the process that started it has ended. */
const LOOP = 'const starter = process.ppid; while (process.ppid === starter) for (let i = 0; i < 1e7; i++);';

/** Programs that keep the processors busy next to a test. They end with the scope. */
export const busyLoops = (count: number): AsyncDisposable => {
  const loops = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, ['--eval', LOOP], { stdio: 'ignore' });
    return { child, ended: new Promise<void>((resolve) => child.once('close', () => resolve())) };
  });
  return {
    [Symbol.asyncDispose]: async () => {
      for (const { child } of loops) child.kill('SIGKILL');
      await Promise.all(loops.map(({ ended }) => ended));
    },
  };
};
