import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

/**
 * Places at which a test makes a process end, stop or lose its connection: between any two steps that a crash can
 * separate. They are here because both the broker and the hosts of modules use the journal. When off, each costs one
 * comparison.
 */
export const FAIL_POINTS = [
  // A module's host, from its start on.
  'host.starting',
  'host.epoch-opened',
  'host.folding',
  'host.folded',
  'host.ready',
  // A command, from its delivery to its checkpoint.
  'host.received',
  'host.decided',
  'host.appended',
  'host.acknowledged',
  'host.copy-appended',
  'host.copy-acknowledged',
  'host.finished',
  'host.checkpointed',
  'host.snapshot-begun',
  'host.snapshot-written',
  // An effectful handler.
  'effect.begun',
  'effect.calling',
  'effect.answered',
  // A call on its way through the broker.
  'gateway.called',
  'gateway.recorded',
  'gateway.answered',
  // A command on its way through the broker.
  'gateway.sent',
  'hearing.delivered',
  'hearing.delivering',
  'hearing.said',
  'gateway.stored',
  // A due command on its way into the log, and a schedule that has ended.
  'firing.storing',
  'firing.stored',
  'firing.ended',
  'unowned.answering',
  'unowned.answered',
  // A batch that goes to the server record by record.
  'journal.batching',
  // A producer's epoch, and the repair of its previous epoch's copies.
  'epoch.fenced',
  'epoch.opened',
  'repair.appended',
  'repair.acknowledged',
  'start.consumer-reset',
  'cancel.met',
  'cancel.stored',
  'cancel.storing',
  // A restart on its way into the log, and its command.
  'restart.storing',
  'restart.stored',
  'restart.sent',
  'step.appended',
  'step.begun',
  'step.returned',
  'step.stored',
  // A handler that waits, and its wake on the way into the log.
  'wait.parked',
  'wait.woken',
  'signal.storing',
  'signal.stored',
  'wake.storing',
  'wake.stored',
  // What an operator requests of a module, and what the broker remembers of it.
  'module.remembering',
  'module.remembered',
  'module.reloading',
  'module.removing',
  'module.removed',
  // An agent that is erased.
  'erase.replacing',
  'erase.replaced',
  'erase.shredded',
  // The file with the configuration of modules.
  'config.writing',
  'config.written',
  'index.saving',
  'index.saved',
] as const;

export type FailPoint = (typeof FAIL_POINTS)[number];

/** Names the directory with the plans of a test. In production it is unset, and no fail-point acts. */
export const FAIL_VARIABLE = 'TALLYSTICK_FAIL';

/** A file in that directory, with a line for each fail-point that acted: `PROCESS POINT@PASSING[+MS]:ACTION`. */
export const FIRED_FILE = 'fired';

const ACTIONS = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  /** Until a SIGCONT. */
  stop: () => process.kill(process.pid, 'SIGSTOP'),
  /** Resets every TCP connection, so that data on its way in either direction is lost. */
  cut: () => {
    const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): unknown[] };
    for (const handle of handles.call(process)) {
      if (handle instanceof Socket && handle.remotePort !== undefined) handle.resetAndDestroy();
    }
  },
} as const;

export type FailAction = keyof typeof ACTIONS;

interface Due {
  readonly text: string;
  readonly passing: number;
  readonly delayMs: number | undefined;
  readonly action: FailAction;
}

interface Armed {
  readonly dir: string;
  readonly name: string;
  readonly due: ReadonlyMap<string, readonly Due[]>;
  readonly passings: Map<string, number>;
}

let armed: Armed | undefined;

const ENTRY = /^([a-z-]+\.[a-z-]+)@(\d+)(?:\+(\d+))?:(kill|stop|cut)$/;

const parseEntry = (text: string): readonly [string, Due] => {
  const [, point = '', passing, delayMs, action] = ENTRY.exec(text) ?? [];
  if (!(FAIL_POINTS as readonly string[]).includes(point)) {
    throw new Error(`${FAIL_VARIABLE}: ${text} is not POINT@PASSING[+MS]:kill|stop|cut with a known point`);
  }
  return [
    point,
    {
      text,
      passing: Number(passing),
      delayMs: delayMs === undefined ? undefined : Number(delayMs),
      action: action as FailAction,
    },
  ];
};

/** Removes the first line of the process's plan, so that the next life of the process finds the next line. */
const takeLine = (path: string): string => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return ''; // No plan for this process.
  }
  const end = text.indexOf('\n');
  const [line, rest] = end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
  writeFileSync(path, rest);
  return line;
};

const arm = (dir: string, name: string): void => {
  const due = new Map<string, Due[]>();
  for (const text of takeLine(join(dir, name)).split(' ')) {
    if (text === '') continue;
    const [point, entry] = parseEntry(text);
    due.set(point, [...(due.get(point) ?? []), entry]);
  }
  armed = { dir, name, due, passings: new Map() };
};

/**
 * Reads the fail-points of this process from the file `name` in the directory that TALLYSTICK_FAIL names. A line has
 * entries `POINT@PASSING[+MS]:ACTION` with blanks between. The first line counts now; each SIGUSR2, and each next
 * life of the process, takes the next line. Returns whether fail-points are on, because a crash must not be the first
 * sign of that.
 */
export const armFailPoints = (name: string): boolean => {
  const dir = process.env[FAIL_VARIABLE];
  if (dir === undefined || dir === '') return false;
  process.on('SIGUSR2', () => arm(dir, name));
  arm(dir, name);
  return true;
};

const passed = (point: FailPoint, { dir, name, due, passings }: Armed): void => {
  const passing = (passings.get(point) ?? 0) + 1;
  passings.set(point, passing);
  for (const { text, action, delayMs, ...entry } of due.get(point) ?? []) {
    if (entry.passing !== passing) continue;
    const act = (): void => {
      appendFileSync(join(dir, FIRED_FILE), `${name} ${text}\n`);
      ACTIONS[action]();
    };
    // Written output leaves the process only after this tick.
    if (delayMs === undefined) act();
    else if (delayMs === 0) setImmediate(act);
    else setTimeout(act, delayMs);
  }
};

/** Marks a place. */
export const failPoint = (point: FailPoint): void => {
  if (armed !== undefined) passed(point, armed);
};
