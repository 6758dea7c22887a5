import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * No child of the broker may outlive it, not even if the broker is killed with -9 and can run no code. So a tiny `sh`
 * reads a pipe that only the broker holds open. When the broker is gone, for any cause, the kernel closes the pipe,
 * `read` meets the end, and `sh` kills every registered process.
 *
 * The lines are `+PID` and `-PID`; a negative PID names a process group. `sh` and its built-in `kill` are in every
 * POSIX system and need 1 MB; a second Node process would need 40. Signals are ignored, because a Ctrl-C goes to the
 * whole foreground group while the broker still drains. Its own session (`detached`) keeps Ctrl-Z away too.
 */
const SCRIPT = `
trap '' INT TERM HUP QUIT TSTP PIPE
pids=
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) pids="$pids $pid" ;;
    -*) rest=
        for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done
        pids=$rest ;;
  esac
done
for each in $pids; do kill -s KILL -- "$each" 2>/dev/null; done
exit 0
`;

/** A second death within this time leads to a pause, so that a machine that cannot run `sh` is not overloaded. */
const RESTART_PAUSE_MS = 1000;

const spawnShell = (onDeath: () => void): ChildProcess => {
  // The root directory, so that no file system stays busy; no descriptor of the broker except the pipe.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  (shell.stdin as Socket).unref();
  shell.stdin.on('error', () => undefined); // EPIPE: its death is reported as well.
  let over = false;
  const once = (): void => {
    if (!over) onDeath();
    over = true;
  };
  shell.on('exit', once);
  shell.on('error', once);
  return shell;
};

/**
 * A group keeps its number while a process is in it. An empty group's number could belong to a new group only after the
 * system has given out all its numbers, and this is the moment after the leader's end.
 */
const killGroup = (target: number): void => {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
};

export interface Reaper extends Disposable {
  /** The pid of the `sh`; undefined while none runs. */
  readonly pid: number | undefined;
  /**
   * Kills this child at the broker's death; forgotten by itself when the child exits. With `group`, its whole process
   * group (the child must lead one: `detached: true`), and what is left of the group when the child exits. Call it in
   * the same tick as `spawn`.
   */
  track(child: ChildProcess, options?: { readonly group?: boolean }): void;
  /** The same for a bare pid (negative: a process group); the caller must `forget` it as soon as it has exited, since
   * the system gives numbers out again. */
  trackPid(pid: number): void;
  forget(pid: number): void;
  /**
   * Ends the reaper. It kills the processes that are still registered, because the broker failed to stop them.
   * Idempotent.
   */
  close(): void;
}

/** Starts the reaper. It does not keep the event loop alive. If the `sh` dies, a new one gets the current list. */
export const startReaper = (): Reaper => {
  const tracked = new Set<number>();
  let shell: ChildProcess | undefined;
  let closed = false;
  let pause: NodeJS.Timeout | undefined;
  let lastDeathAt = 0;

  const send = (line: string): void => {
    shell?.stdin?.write(line);
  };

  const onDeath = (): void => {
    shell = undefined;
    if (closed) return;
    const now = performance.now();
    const again = now - lastDeathAt < RESTART_PAUSE_MS;
    lastDeathAt = now;
    if (!again) return start();
    pause = setTimeout(start, RESTART_PAUSE_MS);
    pause.unref();
  };

  const start = (): void => {
    try {
      shell = spawnShell(onDeath);
    } catch {
      return onDeath(); // Out of memory or processes: a second later spawn may work again.
    }
    if (tracked.size > 0) send([...tracked].map((pid) => `+${pid}\n`).join(''));
  };

  const trackPid = (pid: number): void => {
    // 0 and -1 would name the reaper's own group and every process of the user.
    if (!Number.isSafeInteger(pid) || (pid >= -1 && pid <= 0)) throw new RangeError(`not a process: ${pid}`);
    if (closed || tracked.has(pid)) return;
    tracked.add(pid);
    send(`+${pid}\n`);
  };

  const forget = (pid: number): void => {
    if (tracked.delete(pid)) send(`-${pid}\n`);
  };

  const close = (): void => {
    if (closed) return;
    closed = true;
    clearTimeout(pause);
    tracked.clear();
    shell?.stdin?.end();
  };

  start();
  return {
    get pid() {
      return shell?.pid;
    },
    track: (child, options) => {
      const { pid } = child;
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const target = options?.group === true ? -pid : pid;
      trackPid(target);
      child.once('exit', () => {
        if (target < 0) killGroup(target);
        forget(target);
      });
    },
    trackPid,
    forget,
    close,
    [Symbol.dispose]: close,
  };
};
