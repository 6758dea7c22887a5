import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../system/files/package-root.js';
import type { Reaper } from '../../system/processes/reaper.js';
import type { Durability } from '../../schemas/log.js';
import type { Ready } from '../../schemas/operate.js';

/** A broker as people start it, with the modules that are shipped. */
export interface BenchBroker extends AsyncDisposable {
  readonly url: string;
  /** Where it serves HTTP; null: it does not. */
  readonly http: string | null;
  /** From its start until all modules handle commands. */
  readonly seconds: number;
}

/** Of what it says on stderr, for when it does not start. */
const LAST_CHARACTERS = 1_000;

export const startBenchBroker = async (
  dataDir: string,
  reaper: Reaper,
  durability: Durability = 'os',
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<BenchBroker> => {
  const begun = performance.now();
  const program = join(packageRoot(), 'dist', 'bin', 'tallystick.js');
  const args = [
    program,
    'start',
    '--json',
    '--durability',
    durability,
    '--nats-port',
    '0',
    '--http-port',
    '0',
    '--data',
    dataDir,
    ...more,
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  reaper.track(child);
  let last = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = `${last}${text}`.slice(-LAST_CHARACTERS);
  });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
  if (typeof line !== 'string') throw new Error(`tallystick start ended with ${line}: ${last.trim()}`);
  const seconds = (performance.now() - begun) / 1_000;
  const { nats, http } = JSON.parse(line) as Ready;
  return {
    url: nats,
    http,
    seconds,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};
