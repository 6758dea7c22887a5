import { spawn } from 'node:child_process';
import { emptiesWithin, membersOf, signalGroup } from './process-group.js';

/** How long what a file started may take to end, after the file has ended or was told to. */
const GRACE_MS = 5_000;
const LOOK_MS = 1_000;

export interface Supervision {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Told the process group while it is there. */
  readonly groups: Set<number>;
  /** Why the process must end before its deadline, if it must; asked every second. */
  readonly tooLong: () => string | undefined;
}

export interface Supervised {
  readonly output: string;
  readonly seconds: number;
  readonly code: number | null;
  /** It was ended, for this reason. */
  readonly late?: string;
  /** The processes that it left behind. They are ended too. */
  readonly left: readonly string[];
}

/**
 * Runs a process of tests with all that it starts. `node:test`'s own `run()` is not used, because it neither kills a file that
 * blocks nor what the file has started, and does not tell when a file leaves a process behind.
 */
export const supervise = async (
  args: readonly string[],
  { env, timeoutMs, groups, tooLong }: Supervision,
): Promise<Supervised> => {
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const startedAt = performance.now();
  const group = child.pid;
  if (group === undefined) throw new Error(`${process.execPath} could not be started`);
  groups.add(group);

  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  let late: string | undefined;
  let force: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    late ??= why;
    signalGroup(group, 'SIGTERM');
    force ??= setTimeout(() => signalGroup(group, 'SIGKILL'), GRACE_MS);
  };
  const deadline = setTimeout(() => end(`the file did not end within ${timeoutMs / 1_000} s`), timeoutMs);
  const looking = setInterval(() => {
    const why = tooLong();
    if (why !== undefined) end(why);
  }, LOOK_MS);
  const code = await exited;
  clearTimeout(deadline);
  clearInterval(looking);

  const isEmpty = await emptiesWithin(group, GRACE_MS);
  clearTimeout(force);
  const left = isEmpty ? [] : membersOf(group).map(({ pid, command }) => `${pid} ${command}`);
  signalGroup(group, 'SIGKILL');
  await closed;
  // The signal is sent, not yet obeyed: a busy machine ends the processes a moment later.
  await emptiesWithin(group, GRACE_MS);
  groups.delete(group);
  const output = Buffer.concat(chunks).toString('utf8');
  const seconds = (performance.now() - startedAt) / 1_000;
  return { output, seconds, code, left, ...(late === undefined ? {} : { late }) };
};
