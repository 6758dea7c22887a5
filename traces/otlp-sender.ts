import { gzipSync } from 'node:zlib';
import type { TraceSettings } from '../schemas/trace-settings.js';
import { printable } from '../text/printable.js';

/** What the collector made of a request. */
export type CollectorReply =
  | { readonly kind: 'taken'; readonly refused: number; readonly reason: string }
  /** It will never take these spans. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may take them later. `waitMs`: what it asks for. */
  | { readonly kind: 'later'; readonly reason: string; readonly waitMs?: number };

/** The request itself is wrong. All other codes may change with the collector, its address or the credential. */
const WRONG = new Set([400, 413, 415, 422]);
const MOST_REPLY_BYTES = 4_096;
const MOST_WAIT_MS = 60_000;

const causeText = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  return cause instanceof Error && cause.message !== '' ? cause.message : thrown.message;
};

const partly = (text: string): { readonly refused: number; readonly reason: string } => {
  try {
    const { partialSuccess } = JSON.parse(text === '' ? '{}' : text) as {
      readonly partialSuccess?: { readonly rejectedSpans?: unknown; readonly errorMessage?: unknown };
    };
    const refused = Number(partialSuccess?.rejectedSpans ?? 0);
    const reason = String(partialSuccess?.errorMessage ?? '');
    return { refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0, reason };
  } catch {
    return { refused: 0, reason: '' };
  }
};

/** The first bytes of a reply: a collector may send any number. */
const beginOf = async ({ body }: Response): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // To leave the loop ends the reply.
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= MOST_REPLY_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, MOST_REPLY_BYTES).toString();
};

const shown = (text: string): string => printable(text.slice(0, 200));

/** Sends one request with spans. It never throws. */
export const sendSpans = async (
  { url, headers, timeoutMs, gzip }: Pick<TraceSettings, 'url' | 'headers' | 'timeoutMs' | 'gzip'>,
  body: string,
): Promise<CollectorReply> => {
  try {
    const reply = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(gzip ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      },
      body: gzip ? new Uint8Array(gzipSync(body)) : body,
      // The headers may have a credential for this address alone.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await beginOf(reply);
    if (reply.ok) return { kind: 'taken', ...partly(text) };
    const reason = `status ${reply.status} ${shown(text)}`.trim();
    if (WRONG.has(reply.status)) return { kind: 'refused', reason };
    const seconds = Number(reply.headers.get('retry-after') ?? Number.NaN);
    const waitMs = Math.min(MOST_WAIT_MS, seconds * 1_000);
    return { kind: 'later', reason, ...(seconds >= 0 ? { waitMs } : {}) };
  } catch (thrown) {
    return { kind: 'later', reason: shown(causeText(thrown)) };
  }
};
