import { printable } from '../../text/printable.js';
import { type Bar, barOf } from './bar.js';
import type { Paint } from './paint.js';
import type { Trace, TraceNode } from './conversation-trace.js';
import { walk, type WalkOptions } from './walk.js';
import { outcomeText, payloadText, whatOf } from './trace-words.js';
import { formatDuration } from '../../text/durations.js';
import { plural } from '../../text/numbers.js';

/**
 * Levels that are drawn as such; what is deeper has its level in figures, or a long chain would be a triangle of
 * blanks.
 */
const DRAWN_LEVELS = 24;
export const BAR_WIDTH = 27;

const seqText = ({ record, handling }: TraceNode): string =>
  handling === null ? `${record.seq}` : `${record.seq}→${handling.result?.seq ?? '?'}`;

const markOf = ({ role, record }: TraceNode): string => {
  if (role === 'call') return `call ${record.call ?? ''} `;
  if (role === 'step') return `step ${record.call ?? ''} `;
  if (role === 'wake') return `wake ${record.call ?? ''} `;
  if (role === 'redrive') return `redrives ${record.redrives ?? ''} `;
  if (record.event !== null) return `hears ${record.event} `;
  if (role === 'joined') return 'joined: ';
  return '';
};

const kindOf = ({ record }: TraceNode): string =>
  record.kind === 'cmd' || record.kind === 'step' || record.kind === 'wake' ? '' : `${record.kind} `;

/** Where who sent it does not follow from where it stands. */
const senderOf = ({ role, record }: TraceNode): string => {
  if (role === 'call' || role === 'step' || role === 'wake' || role === 'copy') return '';
  if (record.sender === null || record.event !== null) return '';
  const by = record.schedule === null ? '' : ` by schedule ${record.schedule}`;
  return printable(` from ${record.sender}${by}`);
};

/** A line of the tree, not yet laid out. */
export interface TraceRow {
  readonly seq: string;
  readonly at: string;
  readonly took: string;
  readonly bar: Bar | undefined;
  readonly guide: string;
  /** Painted later, so that widths are those of what is seen. */
  readonly words: readonly (readonly [paint: keyof Paint, text: string])[];
}

const wordsOf = (node: TraceNode): TraceRow['words'] => {
  const { record, handling, problem } = node;
  const words: (readonly [keyof Paint, string])[] = [
    ['dim', `${markOf(node)}${kindOf(node)}`],
    [handling === null ? 'evt' : 'strong', whatOf(record)],
    ['dim', senderOf(node)],
  ];
  if (handling !== null) words.push(['plain', ' '], [handling.outcome, outcomeText(node)]);
  if (handling !== null && handling.waitedFor > 0)
    words.push([
      'expired',
      ` waited ${formatDuration(handling.waitedMs)} for ${plural(handling.waitedFor, 'command')}`,
    ]);
  for (const subject of handling?.missing ?? []) words.push(['failed', ` missing: ${printable(subject)}`]);
  if (problem !== null) words.push(['failed', ` ${printable(problem)}`]);
  words.push(['dim', ` ${payloadText(record.payload)}`]);
  if (handling?.outcome === 'ok' && handling.data !== null)
    words.push(['dim', ` → ${payloadText(handling.data)}`]);
  return words;
};

/** The tree as lines, parents first, with guides before those that are below others. */
export const rowsOf = ({ roots, spanMs }: Trace, options: WalkOptions): readonly TraceRow[] => {
  const rows: TraceRow[] = [];
  /** What stands before the children of each level. */
  const guides: string[] = [''];
  for (const step of walk(roots, options)) {
    if (step.kind === 'leave') continue;
    const { depth } = step;
    const isLast = step.kind === 'more' || step.isLast;
    const before = guides[Math.min(depth, DRAWN_LEVELS)] ?? '';
    const level = depth > DRAWN_LEVELS ? `(${depth}) ` : '';
    const guide = `${before}${depth === 0 ? '' : isLast ? '└─ ' : '├─ '}${level}`;
    if (depth < DRAWN_LEVELS) guides[depth + 1] = `${before}${depth === 0 ? '' : isLast ? '   ' : '│  '}`;
    if (step.kind === 'more') {
      const words = [['expired', `and ${plural(step.records, 'more record')}`]] as const;
      rows.push({ seq: '', at: '', took: '', bar: undefined, guide, words });
      continue;
    }
    const { node } = step;
    const tookMs = node.handling?.tookMs ?? null;
    rows.push({
      seq: seqText(node),
      at: formatDuration(node.atMs),
      took: node.handling === null ? '' : tookMs === null ? 'open' : formatDuration(tookMs),
      bar: barOf(node, spanMs, BAR_WIDTH),
      guide,
      words: wordsOf(node),
    });
  }
  return rows;
};
