import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { follow } from './children.js';
import { collectLines } from './lines.js';
import { waitFor } from './wait-for.js';

const MAIN = join(import.meta.dirname, 'leaving-caller-main.js');

export interface Requests {
  readonly url: string;
  readonly subject: string;
  readonly count: number;
  /** Where it listens for replies; without it, the requests want none. */
  readonly inbox?: string;
}

/** A separate process that sends requests; resolves when the server has them. `kill` waits for the end. */
export const leavingCaller = async ({
  url,
  subject,
  count,
  inbox,
}: Requests): Promise<{ readonly kill: () => Promise<unknown> }> => {
  const args = [MAIN, url, subject, String(count), ...(inbox === undefined ? [] : [inbox])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = follow(child);
  const lines = collectLines(child.stdout);
  await waitFor('the client to have sent its requests', () => lines.includes('sent'));
  return {
    kill: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
};
