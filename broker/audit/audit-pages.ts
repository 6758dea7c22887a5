import type { JetStreamManager } from '@nats-io/jetstream';
import {
  AUDIT,
  type AuditLine,
  type AuditPage,
  type AuditRecord,
  type AuditRequest,
  isOfKind,
  MAX_AUDIT_PAGE,
} from '../../schemas/audit-record.js';
import { parseInstant } from '../../schemas/instant.js';
import { jsonOrText } from '../../schemas/json.js';
import { principalAccount } from '../../schemas/names.js';

/** Records that are read at once. */
const WINDOW = 500;
/** Windows that one request reads. A filter that matches little gets several short pages. */
const WINDOWS = 20;

type WantedRecord = (record: AuditRecord) => boolean;

/** A person names a principal as `token list` does, or an account as the log does. */
const wantedBy = ({ principal, kind, since }: AuditRequest): WantedRecord => {
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : (parseInstant(since) ?? 0);
  return (record) =>
    (principal === undefined ||
      record.principal === principal ||
      record.principal === principalAccount(principal)) &&
    (kind === undefined || isOfKind(record.kind, kind)) &&
    (parseInstant(record.time) ?? Number.POSITIVE_INFINITY) >= sinceMs;
};

/** Reads the stream AUDIT in pages. */
export class AuditPages {
  constructor(private readonly jsm: JetStreamManager) {}

  async page(request: AuditRequest): Promise<AuditPage> {
    const { state } = await this.jsm.streams.info(AUDIT);
    const limit = request.limit ?? MAX_AUDIT_PAGE;
    const wanted = wantedBy(request);
    return request.after === undefined
      ? this.#newest(
          wanted,
          limit,
          Math.min(request.before ?? Number.POSITIVE_INFINITY, state.last_seq + 1),
          state.first_seq,
        )
      : this.#following(wanted, limit, Math.max(request.after + 1, state.first_seq), state.last_seq);
  }

  /** The newest before a place: windows from the end backwards. */
  async #newest(wanted: WantedRecord, limit: number, before: number, first: number): Promise<AuditPage> {
    let found: readonly AuditLine[] = [];
    let end = before;
    for (let read = 0; read < WINDOWS && end > first && found.length < limit; read++) {
      const start = Math.max(first, end - WINDOW);
      const lines = await this.#read(start, end - 1);
      found = [...lines.filter(wanted), ...found];
      end = start;
    }
    const records = found.slice(-limit);
    const place = found.length > limit ? (records[0]?.seq ?? end) : end;
    return { records, next: place > first ? place : null };
  }

  /** From a place on. `next` is where a follower asks again, whether or not there was anything. */
  async #following(wanted: WantedRecord, limit: number, from: number, last: number): Promise<AuditPage> {
    const records: AuditLine[] = [];
    let seen = from - 1;
    for (let read = 0; read < WINDOWS && seen < last && records.length < limit; read++) {
      const end = Math.min(last, seen + WINDOW);
      for (const line of await this.#read(seen + 1, end)) {
        if (!wanted(line)) continue;
        records.push(line);
        if (records.length === limit) return { records, next: line.seq };
      }
      seen = end;
    }
    return { records, next: seen };
  }

  async #read(from: number, to: number): Promise<readonly AuditLine[]> {
    const lines: AuditLine[] = [];
    const batch = await this.jsm.direct.getBatch(AUDIT, {
      seq: from,
      batch: to - from + 1,
      max_bytes: 8_000_000,
    });
    for await (const { seq, data } of batch) {
      if (seq > to) break;
      lines.push({ seq, ...(jsonOrText(data) as AuditRecord) });
    }
    return lines;
  }
}
