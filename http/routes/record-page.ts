import type { NatsConnection } from 'nats';
import { maskedRecord } from '../../replay/history/masked-record.js';
import type { HistoryEnd, HistoryQuery } from '../../replay/history/query.js';
import { history } from '../../replay/history/read-history.js';
import type { Masks } from '../../schemas/masks.js';
import { historyLine } from '../../schemas/record.js';
import { JsonText } from '../requests/json-answer.js';

/** A page has at least one record, and no more bytes than this with the next one. */
const PAGE_BYTES = 4 * 1024 * 1024;

interface PageLine {
  readonly seq: number;
  readonly text: string;
}

const pageText = (lines: readonly PageLine[], { next, previous }: HistoryEnd): JsonText =>
  new JsonText(
    `{"records":[${lines.map(({ text }) => text).join(',')}],"next":${next},"previous":${previous}}`,
  );

/** Of a page that was read backwards, the newest that fit. */
const newestThatFit = (lines: readonly PageLine[], end: HistoryEnd): JsonText => {
  let bytes = 0;
  let first = lines.length;
  while (first > 0) {
    bytes += lines[first - 1]?.text.length ?? 0;
    if (bytes > PAGE_BYTES && first < lines.length) break;
    first -= 1;
  }
  const shown = lines.slice(first);
  return pageText(shown, first === 0 ? end : { ...end, previous: (shown[0]?.seq ?? 1) - 1 });
};

/** One page of the records that fit. `next` is the `from` of the page behind, `previous` the `to` of the one before. */
export const recordPage = async (
  nc: NatsConnection,
  masks: Masks,
  query: HistoryQuery,
): Promise<JsonText> => {
  const found = history(nc, query);
  const lines: PageLine[] = [];
  let bytes = 0;
  let step = await found.next();
  for (; step.done !== true; step = await found.next()) {
    const { seq } = step.value;
    const text = historyLine(maskedRecord(masks, step.value));
    bytes += text.length;
    if (query.last === undefined && bytes > PAGE_BYTES && lines.length > 0) {
      await found.return({ next: null, previous: null });
      return pageText(lines, { next: seq, previous: null });
    }
    lines.push({ seq, text });
  }
  return query.last === undefined ? pageText(lines, step.value) : newestThatFit(lines, step.value);
};
