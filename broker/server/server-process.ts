import { spawn } from 'node:child_process';
import { boundedLines } from '../../system/lines/bounded-lines.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { serverThreads } from './server-threads.js';

/** Log lines that are kept for the message of a failure. */
const TAIL_LINES = 8;

const KILLED = 'killed by ';

/** Whether it was others that ended a process, and not itself. */
export const isKill = (cause: string | undefined): boolean => cause?.startsWith(KILLED) === true;

export interface ServerProcessOptions {
  /** Path of the nats-server. */
  readonly binary: string;
  readonly configPath: string;
  /** GOMEMLIMIT: Go's collector works harder near it, so a large log does not make the server take all memory. */
  readonly memoryLimitBytes?: number;
  readonly reaper: Pick<Reaper, 'track'>;
  /** Each line that the server writes to stdout or stderr. */
  logLine(line: string): void;
}

/** One run of a nats-server. */
export interface ServerProcess {
  readonly pid: number | undefined;
  /** Resolves at its end, after its last line, with the cause in words: exit code, signal, or why it did not start. */
  readonly ended: Promise<string>;
  /** Its last lines. */
  tail(): readonly string[];
  /** SIGTERM, and SIGKILL where that has not ended it within `graceMs`; resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

/** Some errors of the system are events of the child, others are thrown; this is one for the latter. */
const stillborn = (error: unknown): ServerProcess => ({
  pid: undefined,
  ended: Promise.resolve(`it cannot be run: ${error instanceof Error ? error.message : String(error)}`),
  tail: () => [],
  stop: async () => undefined,
});

const spawnChild = ({ binary, configPath, memoryLimitBytes }: ServerProcessOptions) => {
  const limit = memoryLimitBytes === undefined ? {} : { GOMEMLIMIT: `${Math.floor(memoryLimitBytes)}B` };
  // What the environment says is meant.
  const env = { ...serverThreads(), ...process.env, ...limit };
  return spawn(binary, ['-c', configPath], { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
};

/**
 * Spawns a nats-server. It gets a separate process group, because a Ctrl-C goes to the whole group in the foreground:
 * the server would be gone before the broker has drained. That it ends with the broker is the reaper's work.
 */
export const spawnServer = (options: ServerProcessOptions): ServerProcess => {
  try {
    return supervised(spawnChild(options), options);
  } catch (error) {
    return stillborn(error);
  }
};

const supervised = (
  child: ReturnType<typeof spawnChild>,
  { reaper, logLine }: ServerProcessOptions,
): ServerProcess => {
  reaper.track(child);

  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    boundedLines(stream, (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      logLine(line);
    });
  }

  let over = false;
  const ended = new Promise<string>((resolve) => {
    const end = (cause: string): void => {
      over = true;
      resolve(cause);
    };
    child.on('error', (error) => child.pid === undefined && end(`it cannot be run: ${error.message}`));
    // 'close', not 'exit': only then the last lines, which say why, have been read.
    child.on('close', (code, signal) => end(signal === null ? `exit code ${code}` : `${KILLED}${signal}`));
  });

  return {
    pid: child.pid,
    ended,
    tail: () => tail,
    stop: async (graceMs) => {
      if (!over) child.kill('SIGTERM');
      const expired = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(expired);
    },
  };
};
