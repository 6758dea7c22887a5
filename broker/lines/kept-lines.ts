import { appendFileSync } from 'node:fs';
import type { KeptOfWriter, PrintedLine } from '../../schemas/log-lines.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { printedLine } from '../../system/lines/broker-log.js';
import {
  BROKER_WRITER,
  deleteLinesFile,
  moduleOf,
  numbersOf,
  type LinesFile,
  linesFileAt,
  linesFilesIn,
  lineTextsIn,
  writerOf,
} from './lines-files.js';

/** What is kept. docs/reference/limits.md says it. */
export const LINES_KEPT = {
  /** Bytes of a file. A writer drops its oldest file as a whole. */
  segmentBytes: 256 * 1024,
  segmentsOfWriter: 4,
  segments: 256,
} as const;

export interface WriterFiles {
  /** The oldest first. */
  readonly segments: readonly LinesFile[];
  /** The number of its newest line among all lines. */
  readonly n: number;
}

interface Writer extends WriterFiles {
  readonly name: string;
  readonly segments: LinesFile[];
  /** Bytes in its newest file. */
  bytes: number;
  /** The number of its newest line. */
  k: number;
  n: number;
  /** Lines for the disk, until the code that runs now is done. */
  waiting: string[];
  waitingBytes: number;
  /** Lines that the disk has not taken. */
  unkept: number;
  isTorn: boolean;
}

export interface KeptLinesOptions {
  readonly dir: string;
  /** Tells that lines cannot be kept. It must not keep that line. */
  readonly say: (text: string) => void;
  readonly kept?: typeof LINES_KEPT | { readonly [Key in keyof typeof LINES_KEPT]: number };
}

/**
 * Keeps the newest lines of the broker and of each module in files, so that they can be read later and elsewhere. A
 * module that prints much drops its own old lines, never those of others. Nothing is synced: these are no records.
 */
export class KeptLines {
  readonly #writers = new Map<string, Writer>();
  readonly #kept: NonNullable<KeptLinesOptions['kept']>;
  #n = 0;
  #count = 0;
  #willWrite = false;
  #isTroubled = false;

  constructor(private readonly options: KeptLinesOptions) {
    this.#kept = options.kept ?? LINES_KEPT;
    try {
      makeDirs(options.dir);
      for (const [name, segments] of linesFilesIn(options.dir)) this.#resume(name, segments);
    } catch (error) {
      this.#isTroubled = true;
      options.say(`log lines cannot be kept: ${(error as Error).message}`);
    }
  }

  /** The number of the newest line. */
  get end(): number {
    return this.#n;
  }

  /** A line that a module has printed, or, without one, the broker. */
  add(line: PrintedLine, module?: string): void {
    const name = module === undefined ? BROKER_WRITER : writerOf(module);
    const writer = this.#writers.get(name) ?? this.#begin(name);
    this.#add(writer, line);
    if (this.#willWrite) return;
    this.#willWrite = true;
    queueMicrotask(() => this.flush());
  }

  /** Writes what waits. */
  flush(): void {
    this.#willWrite = false;
    for (const writer of this.#writers.values()) if (writer.waiting.length > 0) this.#write(writer);
  }

  /** The files of the wanted writers, the oldest first. */
  files(isWanted: (module: string | null) => boolean): readonly WriterFiles[] {
    this.flush();
    return [...this.#writers.values()].filter(({ name }) => isWanted(moduleOf(name)));
  }

  kept(isWanted: (module: string | null) => boolean): readonly KeptOfWriter[] {
    return [...this.#writers.values()]
      .filter(({ name }) => isWanted(moduleOf(name)))
      .map(({ name, segments, k }) => ({
        module: moduleOf(name),
        gone: (segments[0]?.k ?? k + 1) - 1,
        end: k,
      }));
  }

  #begin(name: string): Writer {
    const writer = {
      name,
      segments: [],
      bytes: 0,
      k: 0,
      n: 0,
      waiting: [],
      waitingBytes: 0,
      unkept: 0,
      isTorn: false,
    };
    this.#writers.set(name, writer);
    return writer;
  }

  #resume(name: string, segments: LinesFile[]): void {
    const writer = this.#begin(name);
    writer.segments.push(...segments);
    this.#count += segments.length;
    const newest = segments.at(-1);
    if (newest === undefined) return;
    const texts = lineTextsIn(newest);
    const last = numbersOf(texts.findLast((text) => numbersOf(text) !== undefined) ?? '');
    // A file whose first line is torn has taken its numbers all the same.
    writer.k = last?.k ?? newest.k;
    writer.n = last?.n ?? newest.n;
    writer.bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
    writer.isTorn = true;
    this.#n = Math.max(this.#n, writer.n);
  }

  #add(writer: Writer, line: PrintedLine): void {
    this.#n += 1;
    writer.k += 1;
    writer.n = this.#n;
    // The numbers come first: a reader finds its place without reading the rest.
    const text = `${JSON.stringify({ n: this.#n, k: writer.k, ...line })}\n`;
    const size = Buffer.byteLength(text);
    const isFull = writer.bytes + writer.waitingBytes + size > this.#kept.segmentBytes;
    if (writer.segments.length === 0 || isFull) {
      this.#write(writer);
      writer.segments.push(linesFileAt(this.options.dir, writer.name, this.#n, writer.k));
      writer.bytes = 0;
      writer.isTorn = false;
      this.#count += 1;
      this.#drop(writer);
    }
    writer.waiting.push(text);
    writer.waitingBytes += size;
  }

  #drop(writer: Writer): void {
    while (writer.segments.length > this.#kept.segmentsOfWriter) this.#forget(writer);
    while (this.#count > this.#kept.segments) {
      const [oldest] = [...this.#writers.values()]
        .filter(({ segments }) => segments.length > 1)
        .sort((a, b) => (a.segments[0]?.n ?? 0) - (b.segments[0]?.n ?? 0));
      // The newest file of each stays: it has the numbers.
      if (oldest === undefined) return;
      this.#forget(oldest);
    }
  }

  #forget(writer: Writer): void {
    const segment = writer.segments.shift();
    if (segment === undefined) return;
    this.#count -= 1;
    deleteLinesFile(segment);
  }

  #write(writer: Writer): void {
    const segment = writer.segments.at(-1);
    const { waiting, waitingBytes } = writer;
    if (segment === undefined || waiting.length === 0) return;
    writer.waiting = [];
    writer.waitingBytes = 0;
    try {
      // What was written before may have ended in the middle of a line.
      appendFileSync(segment.path, `${writer.isTorn ? '\n' : ''}${waiting.join('')}`, { mode: 0o600 });
      writer.bytes += waitingBytes;
      writer.isTorn = false;
      this.#works(writer);
    } catch (error) {
      writer.isTorn = true;
      writer.unkept += waiting.length;
      if (!this.#isTroubled) this.options.say(`log lines cannot be kept: ${(error as Error).message}`);
      this.#isTroubled = true;
    }
  }

  /** The disk takes lines again: the file says how many it lacks. */
  #works(writer: Writer): void {
    this.#isTroubled = false;
    const { unkept, name } = writer;
    if (unkept === 0) return;
    writer.unkept = 0;
    const module = moduleOf(name);
    const text = `${unkept} log line${unkept === 1 ? '' : 's'} before this one could not be kept`;
    this.#add(
      writer,
      printedLine(module ?? 'broker', text, { level: 'warn', ...(module === null ? {} : { module }) }),
    );
    this.#write(writer);
  }
}
