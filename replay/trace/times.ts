import { printable } from '../../text/printable.js';
import type { Trace } from './conversation-trace.js';

/** Where the time of one action's commands went; milliseconds, of those that are answered. */
export interface ActionTime {
  readonly action: string;
  readonly commands: number;
  /** Of those, without a result. */
  readonly open: number;
  readonly waitedMs: number;
  readonly callsMs: number;
  readonly ownMs: number;
  readonly copiesMs: number;
}

type Sum = { -readonly [Key in keyof ActionTime]: ActionTime[Key] };

/**
 * Time by action, the most first: what a command waited for its agent, what was its own, and what its copies took.
 * Commands side by side each count, so together they can be more than the conversation took.
 */
export const timesOf = ({ nodes }: Trace): readonly ActionTime[] => {
  const sums = new Map<string, Sum>();
  for (const { record, handling } of nodes) {
    if (handling === null) continue;
    const action = printable(`${record.module}.${record.name}`);
    let sum = sums.get(action);
    if (sum === undefined) {
      sum = { action, commands: 0, open: 0, waitedMs: 0, callsMs: 0, ownMs: 0, copiesMs: 0 };
      sums.set(action, sum);
    }
    sum.commands += 1;
    if (handling.ownMs === null) sum.open += 1;
    sum.waitedMs += handling.waitedMs;
    sum.callsMs += handling.callsMs;
    sum.ownMs += handling.ownMs ?? 0;
    sum.copiesMs += handling.copiesMs;
  }
  return [...sums.values()].sort((a, b) => totalOf(b) - totalOf(a));
};

/** What an action's commands kept others waiting for, without what its calls took. */
export const totalOf = ({ waitedMs, ownMs, copiesMs }: ActionTime): number => waitedMs + ownMs + copiesMs;

/** What the figures mean, and what they cannot say. */
export const TIMES_NOTE =
  'waited: until the agent had answered what came before; calls: while calls to others were under way; own: the rest, ' +
  'from stored to result stored: delivery, waiting for a place or another try, handling, storing, which the log does not ' +
  'tell apart; copies: from the result stored to the last of what it carries stored';
