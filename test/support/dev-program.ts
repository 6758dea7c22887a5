import { execFileSync, spawn } from 'node:child_process';
import type { DevEvent } from '../../bin/dev/dev-event.js';
import { type Exit, follow } from './children.js';
import { showOnFailure } from './failure-log.js';
import { collectLines } from './lines.js';
import { tallystickPath } from './program-paths.js';
import { waitFor } from './wait-for.js';

type Kind = DevEvent['event'];
export type EventOf<K extends Kind> = Extract<DevEvent, { readonly event: K }>;

/** A running `tallystick dev --json`. */
export interface DevProgram extends AsyncDisposable {
  readonly pid: number;
  readonly events: readonly DevEvent[];
  readonly exited: Promise<Exit>;
  /** The first event of a kind that fits, behind all that this function gave before. */
  readonly next: <K extends Kind>(kind: K, fits?: (event: EventOf<K>) => boolean) => Promise<EventOf<K>>;
  /** The processes that it has started itself. */
  readonly children: () => readonly number[];
  /** Sends the signal and waits for the end. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Exit>;
}

/** A start of it builds each module and starts two processes for each. On a busy machine that took 20 s. */
const WITHIN_MS = 120_000;

const childrenOf = (pid: number): readonly number[] => {
  try {
    return execFileSync('pgrep', ['-P', `${pid}`], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return [];
  }
};

/** Starts `tallystick dev` in a directory, on a free port. `command`: another one that starts it. */
export const startDev = (
  cwd: string,
  args: readonly string[] = ['--nats-port', '0'],
  command: readonly string[] = [process.execPath, tallystickPath(), 'dev'],
): DevProgram => {
  const [program = '', ...before] = command;
  const child = spawn(program, [...before, '--json', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = follow(child);
  const lines = collectLines(child.stdout);
  const stderr = collectLines(child.stderr);
  showOnFailure('tallystick dev', () => [...lines, ...stderr].join('\n'));
  const events: DevEvent[] = [];
  const read = (): readonly DevEvent[] => {
    for (const line of lines.slice(events.length)) events.push(JSON.parse(line) as DevEvent);
    return events;
  };
  let seen = 0;
  return {
    pid: child.pid ?? -1,
    get events() {
      return read();
    },
    exited,
    next: <K extends Kind>(kind: K, fits: (event: EventOf<K>) => boolean = () => true) =>
      waitFor(
        `tallystick dev to tell: ${kind}`,
        () => {
          const isIt = (event: DevEvent): event is EventOf<K> =>
            event.event === kind && fits(event as EventOf<K>);
          const at = read().findIndex((event, i) => i >= seen && isIt(event));
          const found = events[at];
          if (found === undefined || !isIt(found)) return undefined;
          seen = at + 1;
          return found;
        },
        WITHIN_MS,
      ),
    children: () => childrenOf(child.pid ?? -1),
    kill: (signal) => {
      child.kill(signal);
      return exited;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(timer);
    },
  };
};
