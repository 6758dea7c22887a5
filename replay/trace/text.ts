import { printable } from '../../text/printable.js';
import { findingsOf } from './trace-findings.js';
import { type Paint, painter } from './paint.js';
import type { ReadTrace } from './read-trace.js';
import { BAR_WIDTH, type TraceRow, rowsOf } from './rows.js';
import { TIMES_NOTE, timesOf, totalOf } from './times.js';
import type { Trace } from './conversation-trace.js';
import type { WalkOptions } from './walk.js';
import { whatOf } from './trace-words.js';
import { clip } from '../../text/printable.js';
import { formatDuration } from '../../text/durations.js';
import { plural } from '../../text/numbers.js';

export interface TraceStyle extends WalkOptions {
  /** Width of the terminal; lines are clip to it. Undefined: a pipe, where nothing is ever clip. */
  readonly columns?: number | undefined;
  readonly colour?: boolean | undefined;
}

const LISTED = 20;
const TIME_WIDTH = 9;
/** Below this a terminal has no room for bars. */
const BARS_FROM_COLUMNS = 90;

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
    yield this.#paint.strong(clip(`conversation ${conversation}${what}, ${began ?? 'never'}`, this.#columns));
    const counted = Object.entries(outcomes).map(([outcome, n]) =>
      this.#paint[outcome as keyof typeof outcomes](`${n} ${outcome}`),
    );
    const sum = `${plural(records, 'record')} in ${formatDuration(spanMs)}, ${plural(commands, 'command')}`;
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

  #words(words: TraceRow['words'], room: number): string {
    let left = room;
    let line = '';
    for (const [paint, text] of words) {
      const shown = clip(text, left);
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
      yield clip(`  ${seq} ${what}${way}: ${said}`, this.#columns);
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
      const figures = [`${commands}`, ...[waitedMs, callsMs, ownMs, copiesMs].map(formatDuration)];
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
