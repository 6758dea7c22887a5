import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { logEnds } from '../../journal/read/reader-api.js';
import { FaultError } from '../../schemas/errors.js';
import { EXPORT_FORMAT, type ExportHead } from '../../schemas/export.js';
import { historyMessages } from '../../replay/history/read-history.js';
import type { HistoryQuery } from '../../replay/history/query.js';
import { cloudevents } from '../format/cloudevents.js';
import { csv } from '../format/csv.js';
import type { ExportFormat } from '../format/export-format.js';
import { ndjson } from '../format/ndjson.js';

/** The formats of an export, by name. */
export const EXPORT_FORMATS = { ndjson, cloudevents, csv } as const satisfies Record<string, ExportFormat>;
/** The name of a format of an export. */
export type ExportFormatName = keyof typeof EXPORT_FORMATS;

/** Filters and range, as for `history`. An export ends at the end that the log had at its start. */
export type ExportQuery = Omit<HistoryQuery, 'follow'>;

/** Which records to export, in which format. */
export interface ExportOptions {
  readonly format: ExportFormatName;
  readonly query?: ExportQuery;
  /** Called for each record with its sequence and the sequence of the end, if known. */
  readonly onProgress?: (seq: number, toSeq: number) => void;
}

const asked = ({ signal, patienceMs, ...query }: ExportQuery): ExportHead['query'] =>
  Object.fromEntries(
    Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        value instanceof Date ? value.toISOString() : (value as string | number),
      ]),
  );

/** The records to export. Throws LOG_UNAVAILABLE. */
const headOf = async (nc: NatsConnection, query: ExportQuery): Promise<ExportHead & { lastSeq: number }> => {
  const ends = await logEnds({ nc, prefix: '$JS.API' });
  if (isLeft(ends)) throw new FaultError(ends.left.fault);
  const { logId, lastSeq } = ends.right;
  const to = typeof query.to === 'number' ? Math.min(query.to, lastSeq) : lastSeq;
  const isOpen = query.to instanceof Date || query.limit !== undefined;
  return {
    tallystick: 'export',
    format: EXPORT_FORMAT,
    logId,
    query: asked(query),
    toSeq: isOpen ? null : to,
    lastSeq,
  };
};

/**
 * The records of the log that match a query, in order, as the text of a file. Each piece is a line with its end.
 * Throws as `history` does.
 */
export async function* exportLog(
  nc: NatsConnection,
  { format, query = {}, onProgress }: ExportOptions,
): AsyncGenerator<string, void, void> {
  const { head, line } = EXPORT_FORMATS[format];
  const { lastSeq, ...log } = await headOf(nc, query);
  const first = head(log);
  if (first !== '') yield first;
  if (lastSeq === 0) return;
  const to = query.to ?? lastSeq;
  for await (const found of historyMessages(nc, { ...query, to })) {
    onProgress?.(found.message.seq, log.toSeq ?? lastSeq);
    yield line(found, log);
  }
}
