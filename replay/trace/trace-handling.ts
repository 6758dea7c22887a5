import type { Growing } from './growth.js';
import { readOutcome } from './trace-outcome.js';
import type { Handling, Span } from './conversation-trace.js';
import type { Wait } from './trace-turns.js';

/** Overlapping spans as one. They come by their beginnings. */
const merged = (spans: readonly Span[]): readonly Span[] => {
  const whole: [number, number][] = [];
  for (const [from, to] of spans) {
    const last = whole.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  return whole;
};

/** What became of a command that has all that is below it. */
export const handlingOf = (node: Growing, beganMs: number, wait: Wait | undefined): Handling => {
  const { record, result, children, copies, atMs } = node;
  const { outcome, error, data, out } = readOutcome(result);
  const missing = out.filter((_subject, i) => !copies.has(i + 1));
  const dead = result?.dead ?? null;
  const base = { result, outcome, error, data, dead, missing, waitedFor: wait?.commands ?? 0 };
  if (result === null)
    return { ...base, tookMs: null, waitedMs: 0, callsMs: 0, callSpans: [], ownMs: null, copiesMs: 0 };
  const endMs = Math.max(atMs, result.timeMs - beganMs);
  const begunMs = Math.min(endMs, Math.max(atMs, (wait?.untilMs ?? 0) - beganMs));
  const callSpans = merged(
    children.flatMap((child): Span[] => {
      if (child.role !== 'call') return [];
      const from = Math.min(endMs, Math.max(begunMs, child.atMs));
      const to = child.result === null ? endMs : child.result.timeMs - beganMs;
      return [[from, Math.min(endMs, Math.max(from, to))]];
    }),
  );
  const callsMs = callSpans.reduce((sum, [from, to]) => sum + to - from, 0);
  const tookMs = Math.max(0, result.timeMs - record.timeMs);
  const waitedMs = begunMs - atMs;
  const ownMs = Math.max(0, tookMs - waitedMs - callsMs);
  const lastCopy = children.findLast(({ role }) => role === 'copy');
  const copiesMs = lastCopy === undefined ? 0 : Math.max(0, lastCopy.atMs - endMs);
  return { ...base, tookMs, waitedMs, callsMs, callSpans, ownMs, copiesMs };
};
