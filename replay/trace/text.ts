import { barOf, type Bar } from './bar.js';
import { findingsOf } from './findings.js';
import { type Paint, painter } from './paint.js';
import type { ReadTrace } from './read-trace.js';
import { TIMES_NOTE, timesOf, totalOf } from './times.js';
import type { Trace, TraceNode } from './trace.js';
import { walk, type WalkOptions } from './walk.js';
import { cut, durationText, jsonText, outcomeText, plural, printable, whatOf } from './words.js';

export interface TraceStyle extends WalkOptions {
  /** Width of the terminal; lines are cut to it. Undefined: a pipe, where nothing is ever cut. */
  readonly columns?: number | undefined;
  readonly colour?: boolean | undefined;
}

/** Levels that are drawn as such; what is deeper has its level in figures, or a long chain would be a triangle of blanks. */
const DRAWN_LEVELS = 24;
const LISTED = 20;
const TIME_WIDTH = 9;
const BAR_WIDTH = 27;
/** Below this a terminal has no room for bars. */
const BARS_FROM_COLUMNS = 90;

const seqText = ({ record, handling }: TraceNode): string =>
  handling === null ? `${record.seq}` : `${record.seq}→${handling.result?.seq ?? '?'}`;

const markOf = ({ role, record }: TraceNode): string => {
  if (role === 'call') return `call ${record.call ?? ''} `;
  if (role === 'redrive') return `redrives ${record.redrives ?? ''} `;
  if (role === 'joined') return 'joined: ';
  return '';
};

const kindOf = ({ record }: TraceNode): string => (record.kind === 'cmd' ? '' : `${record.kind} `);

/** Where who sent it does not follow from where it stands. */
const senderOf = ({ role, record }: TraceNode): string => {
  if (role === 'call' || role === 'copy' || record.sender === null) return '';
  const by = record.schedule === null ? '' : ` by schedule ${record.schedule}`;
  return printable(` from ${record.sender}${by}`);
};

interface Drawn {
  readonly seq: string;
  readonly at: string;
  readonly took: string;
  readonly bar: Bar | undefined;
  readonly guide: string;
  /** Painted later, so that widths are those of what is seen. */
  readonly words: readonly (readonly [paint: keyof Paint, text: string])[];
}

const wordsOf = (node: TraceNode): Drawn['words'] => {
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
      ` waited ${durationText(handling.waitedMs)} for ${plural(handling.waitedFor, 'command')}`,
    ]);
  for (const subject of handling?.missing ?? []) words.push(['failed', ` missing: ${printable(subject)}`]);
  if (problem !== null) words.push(['failed', ` ${printable(problem)}`]);
  words.push(['dim', ` ${jsonText(record.data)}`]);
  if (handling?.outcome === 'ok' && handling.data !== null)
    words.push(['dim', ` → ${jsonText(handling.data)}`]);
  return words;
};

const rowsOf = ({ roots, spanMs }: Trace, style: TraceStyle): readonly Drawn[] => {
  const rows: Drawn[] = [];
  /** What stands before the children of each level. */
  const guides: string[] = [''];
  for (const step of walk(roots, style)) {
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
      at: durationText(node.atMs),
      took: node.handling === null ? '' : tookMs === null ? 'open' : durationText(tookMs),
      bar: barOf(node, spanMs, BAR_WIDTH),
      guide,
      words: wordsOf(node),
    });
  }
  return rows;
};

class TextTrace {
  readonly #paint: Paint;
  readonly #columns: number;
  readonly #hasBars: boolean;

  constructor(
    private readonly trace: Trace | ReadTrace,
    private readonly style: TraceStyle,
  ) {
    this.#paint = painter(style.colour === true);
    this.#columns = style.columns ?? Number.POSITIVE_INFINITY;
    this.#hasBars = this.#columns >= BARS_FROM_COLUMNS;
  }

  *lines(): Generator<string, void, void> {
    yield* this.#head();
    yield '';
    yield* this.#tree();
    yield* this.#findings();
    yield* this.#times();
    yield* this.#foot();
  }

  *#head(): Generator<string, void, void> {
    const { conversation, records, commands, outcomes, began, spanMs, roots } = this.trace;
    const [first] = roots;
    const from = first?.record.sender ?? null;
    const what =
      first === undefined
        ? ''
        : `: ${whatOf(first.record)}${from === null ? '' : printable(` from ${from}`)}`;
    yield this.#paint.strong(cut(`conversation ${conversation}${what}, ${began ?? 'never'}`, this.#columns));
    const counted = Object.entries(outcomes).map(([outcome, n]) =>
      this.#paint[outcome as keyof typeof outcomes](`${n} ${outcome}`),
    );
    const sum = `${plural(records, 'record')} in ${durationText(spanMs)}, ${plural(commands, 'command')}`;
    yield `${sum}${counted.length === 0 ? '' : `: ${counted.join(', ')}`}`;
  }

  *#tree(): Generator<string, void, void> {
    const rows = rowsOf(this.trace, this.style);
    const seqWidth = Math.max(3, ...rows.slice(0, 10_000).map(({ seq }) => seq.length));
    const heads = ['seq'.padStart(seqWidth), 'at'.padStart(TIME_WIDTH), 'took'.padStart(TIME_WIDTH)];
    const legend = '█own ▒calls ░waited ─copies';
    const bars = this.#hasBars ? `  ${legend.padEnd(BAR_WIDTH)}` : '';
    yield this.#paint.dim(`${heads.join(' ')}${bars}`.trimEnd());
    for (const row of rows) {
      const figures = [
        row.seq.padStart(seqWidth),
        row.at.padStart(TIME_WIDTH),
        row.took.padStart(TIME_WIDTH),
      ];
      const bar = row.bar ?? { text: ' '.repeat(BAR_WIDTH), outcome: 'plain' };
      const barText = this.#hasBars ? `  ${this.#paint[bar.outcome](bar.text)}` : '';
      const left = `${figures.join(' ')}${barText}  ${this.#paint.dim(row.guide)}`;
      const used = figures.join(' ').length + (this.#hasBars ? BAR_WIDTH + 2 : 0) + 2 + row.guide.length;
      yield `${left}${this.#words(row.words, this.#columns - used)}`.trimEnd();
    }
  }

  #words(words: Drawn['words'], room: number): string {
    let left = room;
    let line = '';
    for (const [paint, text] of words) {
      const shown = cut(text, left);
      if (shown !== '') line += this.#paint[paint](shown);
      left -= text.length;
      if (left <= 0) break;
    }
    return line;
  }

  *#findings(): Generator<string, void, void> {
    const findings = findingsOf(this.trace);
    if (findings.length === 0) return;
    yield '';
    yield this.#paint.strong('not ok');
    for (const { seq, what, said, path } of findings.slice(0, LISTED)) {
      const way = path.length === 0 ? '' : ` (${[...path, seq].join(' › ')})`;
      yield cut(`  ${seq} ${what}${way}: ${said}`, this.#columns);
    }
    if (findings.length > LISTED) yield `  and ${plural(findings.length - LISTED, 'more', 'more')}`;
  }

  *#times(): Generator<string, void, void> {
    const times = timesOf(this.trace);
    if (times.length === 0) return;
    yield '';
    yield this.#paint.strong('where the time went');
    const shown = times.slice(0, LISTED);
    const width = Math.max(...shown.map(({ action }) => action.length), 6);
    const most = Math.max(...shown.map(totalOf), Number.MIN_VALUE);
    const columns = ['commands', 'waited', 'calls', 'own', 'copies'].map((head) => head.padStart(TIME_WIDTH));
    yield this.#paint.dim(`  ${'action'.padEnd(width)} ${columns.join(' ')}`);
    for (const { action, commands, open, waitedMs, callsMs, ownMs, copiesMs } of shown) {
      const figures = [`${commands}`, ...[waitedMs, callsMs, ownMs, copiesMs].map(durationText)];
      const text = figures.map((figure) => figure.padStart(TIME_WIDTH)).join(' ');
      const blocks = (ms: number): number => Math.round((ms / most) * BAR_WIDTH);
      const bar = `${'░'.repeat(blocks(waitedMs))}${'█'.repeat(blocks(ownMs))}${'─'.repeat(blocks(copiesMs))}`;
      const waiting = open === 0 ? '' : this.#paint.open(`  ${open} open`);
      yield `  ${action.padEnd(width)} ${text}${this.#hasBars ? `  ${this.#paint.dim(bar)}` : ''}${waiting}`.trimEnd();
    }
    if (times.length > LISTED) yield `  and ${plural(times.length - LISTED, 'more action')}`;
    for (const part of TIMES_NOTE.split('; ')) yield this.#paint.dim(`  ${part}`);
  }

  *#foot(): Generator<string, void, void> {
    if (!('read' in this.trace)) return;
    const { conversation, read } = this.trace;
    const { fromSeq, toSeq, logEnd, ended } = read;
    yield '';
    const where = `read ${fromSeq} to ${toSeq}`;
    if (toSeq >= logEnd) {
      yield ended ? `ended; ${where}, the end of the log` : `not ended; ${where}, the end of the log`;
      return;
    }
    yield `ended; ${where}: what was sent into it later, up to ${logEnd}, is found by: replay trace ${conversation} --all`;
  }
}

/** A trace for people: the tree with times and bars, what is not ok, and where the time went; line by line. */
export const traceText = (trace: Trace | ReadTrace, style: TraceStyle = {}): Iterable<string> =>
  new TextTrace(trace, style).lines();
