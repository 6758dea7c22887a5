import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';
import { freePort } from '../../system/processes/free-port.js';

/** Where the servers of the peers listen. */
export const LOOPBACK = '127.0.0.1';

/** On a busy machine a server of Java takes a minute. */
const START_LIMIT_MS = 180_000;

export const loopbackPort = async (): Promise<number> => {
  const found = await freePort(LOOPBACK)();
  if (isLeft(found)) throw new FaultError(found.left);
  return found.right;
};

/** Throws if the process did not start. */
export const pidOf = (what: string, { pid }: ChildProcess): number => {
  if (pid === undefined) throw new Error(`${what} did not start`);
  return pid;
};

/** Tries until it works or the time is over; a server takes seconds to be ready. */
export const eventually = async <T>(attempt: () => Promise<T>): Promise<T> => {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(200);
    }
  }
};

export const endChild = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.kill(signal)) await exited;
};

export const killChild = (child: ChildProcess): Promise<void> => endChild(child, 'SIGKILL');
