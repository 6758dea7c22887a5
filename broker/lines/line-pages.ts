import { parseInstant } from '../../schemas/instant.js';
import {
  isAtLeast,
  type LinesPage,
  type LinesRequest,
  type LogLine,
  MAX_LINES_PAGE,
} from '../../schemas/log-lines.js';
import type { KeptLines, WriterFiles } from './kept-lines.js';
import { numbersOf, type LinesFile, lineTextsIn } from './lines-files.js';

/** Bytes of lines in one page: it travels in one message. */
const MAX_PAGE_BYTES = 400_000;
/** Files that one request reads, besides one of each writer. A filter that matches little gets several short pages. */
const MAX_FILES = 24;

type WantedLine = (line: LogLine) => boolean;

const wantedBy = ({ module, level = 'debug', since }: LinesRequest): WantedLine => {
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : (parseInstant(since) ?? 0);
  return (line) =>
    (module === undefined || line.module === module) &&
    isAtLeast(line.level, level) &&
    (parseInstant(line.time) ?? Number.POSITIVE_INFINITY) >= sinceMs;
};

/** A loss of power may leave anything in the middle of a file. */
const readLine = (text: string): readonly LogLine[] => {
  try {
    return [JSON.parse(text) as LogLine];
  } catch {
    return [];
  }
};

/** The lines of a file between two numbers, both left out. */
const linesBetween = (segment: LinesFile, after: number, before: number, wanted: WantedLine): LogLine[] =>
  lineTextsIn(segment)
    .filter((text) => {
      const { n } = numbersOf(text) ?? { n: 0 };
      return n > after && n < before;
    })
    .flatMap(readLine)
    .filter(wanted);

/** A file, and the number at which the next one of its writer begins. */
interface FileSpan {
  readonly segment: LinesFile;
  readonly until: number;
}

const spansOf = (writers: readonly WriterFiles[]): readonly FileSpan[] =>
  writers.flatMap(({ segments, n }) =>
    segments.map((segment, i) => ({ segment, until: segments[i + 1]?.n ?? n + 1 })),
  );

interface Place {
  readonly limit: number;
  readonly mostFiles: number;
}

const sizeOf = (line: LogLine): number => Buffer.byteLength(JSON.stringify(line)) + 1;

/** As many of the lines, from their begin on, as a page may have. */
const cut = (lines: readonly LogLine[], limit: number): readonly LogLine[] => {
  let bytes = 0;
  const end = lines.findIndex((line, i) => {
    bytes += sizeOf(line);
    return i >= limit || (i > 0 && bytes > MAX_PAGE_BYTES);
  });
  return end === -1 ? lines : lines.slice(0, end);
};

/** The newest lines before a place. It reads files from the newest backwards, until no older one can have one more. */
const newest = (
  spans: readonly FileSpan[],
  { before, limit, mostFiles }: Place & { readonly before: number },
  wanted: WantedLine,
): Pick<LinesPage, 'lines' | 'next'> => {
  const files = spans
    .filter(({ segment }) => segment.n < before)
    .sort((a, b) => b.until - a.until || b.segment.n - a.segment.n);
  let found: LogLine[] = [];
  for (const [i, { segment, until }] of files.entries()) {
    const isEnough = found.length >= limit && (found[found.length - limit]?.n ?? 0) >= until;
    if (isEnough || i === mostFiles) {
      // Below this number, files were not read.
      const whole = isEnough ? found : found.filter(({ n }) => n >= until);
      const lines = [...cut(whole.slice(-limit).reverse(), limit)].reverse();
      return { lines, next: lines[0]?.n ?? until };
    }
    found = [...found, ...linesBetween(segment, 0, before, wanted)].sort((a, b) => a.n - b.n);
  }
  const lines = [...cut(found.slice(-limit).reverse(), limit)].reverse();
  return { lines, next: lines.length < found.length ? (lines[0]?.n ?? null) : null };
};

/** The lines behind a place, the oldest first. */
const following = (
  spans: readonly FileSpan[],
  { after, end, limit, mostFiles }: Place & { readonly after: number; readonly end: number },
  wanted: WantedLine,
): Pick<LinesPage, 'lines' | 'next' | 'isEnd'> => {
  const files = spans.filter(({ until }) => until > after + 1).sort((a, b) => a.segment.n - b.segment.n);
  // A file that is not read now has no line before its first one.
  const stop = files[mostFiles]?.segment.n ?? Number.POSITIVE_INFINITY;
  const found = files
    .slice(0, mostFiles)
    .flatMap(({ segment }) => linesBetween(segment, after, stop, wanted))
    .sort((a, b) => a.n - b.n);
  const lines = cut(found, limit);
  const isWhole = lines.length === found.length;
  const next = isWhole ? Math.min(end, stop - 1) : (lines.at(-1)?.n ?? end);
  return { lines, next, isEnd: next === end };
};

/** A page of the lines that are kept. */
export const linesPage = (kept: KeptLines, request: LinesRequest): LinesPage => {
  const { module, after, before = Number.POSITIVE_INFINITY, limit = MAX_LINES_PAGE } = request;
  const isWanted = (writer: string | null): boolean =>
    module === undefined || writer === null || writer === module;
  const writers = kept.files(isWanted);
  // With one of each writer, each page gets further.
  const mostFiles = writers.length + MAX_FILES;
  const { end } = kept;
  const wanted = wantedBy(request);
  // Somebody has deleted the files: what follows begins again.
  const place = after === undefined || after <= end ? after : 0;
  const page =
    place === undefined
      ? { ...newest(spansOf(writers), { before, limit, mostFiles }, wanted), isEnd: true }
      : place === end
        ? { lines: [], next: end, isEnd: true }
        : following(spansOf(writers), { after: place, end, limit, mostFiles }, wanted);
  return { ...page, end, kept: kept.kept(isWanted) };
};
