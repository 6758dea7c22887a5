import type { TraceOutcome } from './trace-outcome.js';
import type { TraceNode } from './conversation-trace.js';

/** A line of a waterfall: when something was under way, on the scale of the whole conversation. */
export interface Bar {
  readonly text: string;
  readonly outcome: TraceOutcome | 'evt';
}

const WAITED = '░';
const CALLS = '▒';
const OWN = '█';
const OPEN = '?';
const COPIES = '─';
const INSTANT = '•';

export const barOf = ({ atMs, handling }: TraceNode, spanMs: number, width: number): Bar => {
  const cells = new Array<string>(width).fill(' ');
  const cellOf = (ms: number): number =>
    spanMs <= 0 ? 0 : Math.min(width - 1, Math.max(0, Math.floor((ms / spanMs) * width)));
  /** What is shorter than a cell still has one, but takes none from what it lies upon. */
  const fill = (fromMs: number, toMs: number, mark: string, least: number): void => {
    if (toMs <= fromMs && least === 0) return;
    const from = cellOf(fromMs);
    const to = Math.max(from + least, Math.round(spanMs <= 0 ? 0 : (toMs / spanMs) * width));
    for (let i = from; i < Math.min(width, to); i++) cells[i] = mark;
  };
  if (handling === null) {
    cells[cellOf(atMs)] = INSTANT;
    return { text: cells.join(''), outcome: 'evt' };
  }
  const { tookMs, waitedMs, callSpans, copiesMs, outcome } = handling;
  if (tookMs === null) {
    fill(atMs, spanMs, OPEN, 1);
    return { text: cells.join(''), outcome };
  }
  fill(atMs + tookMs, atMs + tookMs + copiesMs, COPIES, 0);
  fill(atMs, atMs + tookMs, OWN, 1);
  fill(atMs, atMs + waitedMs, WAITED, 0);
  for (const [from, to] of callSpans) fill(from, to, CALLS, 0);
  return { text: cells.join(''), outcome };
};
