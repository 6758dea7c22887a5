import type { ChildProcess } from 'node:child_process';

const living = new Set<ChildProcess>();

// A test that fails before it disposes of what it started must not leave a server behind for the next one to meet.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Ties a child to the life of this process, and tells how it ends. A program that could not be started rejects.
 * `close` and not `exit` is awaited where output matters; this one is for whether the process is still there.
 */
export const follow = (child: ChildProcess): Promise<Exit> => {
  living.add(child);
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('exit', (code, signal) => {
      living.delete(child);
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      living.delete(child);
      reject(error);
    });
  });
  // Whoever waits sees the rejection; nobody waiting must not bring the test process down.
  exited.catch(() => undefined);
  return exited;
};
