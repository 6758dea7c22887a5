import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** How long a download may be silent. A machine without internet must get on with the next source in seconds. */
export interface DownloadLimits {
  /** From the request to the first byte of the answer, redirects included. */
  readonly firstByteMs: number;
  /** Between two pieces of the body. */
  readonly stallMs: number;
  /** For everything. */
  readonly totalMs: number;
}

export const DOWNLOAD_LIMITS: DownloadLimits = { firstByteMs: 5_000, stallMs: 10_000, totalMs: 600_000 };

/** Bytes so far, and of the whole where the server told. */
export type OnBytes = (done: number, total: number | undefined) => void;

/** `fetch failed` says nothing; the cause beneath it does (no such host, connection refused, certificate). */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause: NodeJS.ErrnoException | undefined = error.cause instanceof Error ? error.cause : undefined;
  // An address with several IP addresses fails with several errors under one that has a code and no text.
  return cause?.message || cause?.code || error.message;
};

/** Feeds the body of `url` to `sink`, piece by piece, within the limits. */
const pull = async (
  url: string,
  limits: DownloadLimits,
  sink: (piece: Uint8Array) => Promise<void> | void,
  onBytes: OnBytes,
): Promise<void> => {
  const abort = new AbortController();
  const give = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => abort.abort(new Error(`${what} within ${ms / 1000} s`)), ms);
  const total = give(limits.totalMs, 'it was not complete');
  let silence = give(limits.firstByteMs, 'no answer');
  try {
    const response = await fetch(url, { signal: abort.signal, redirect: 'follow' });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`HTTP ${response.status} ${response.statusText}`.trim());
    }
    const length = Number(response.headers.get('content-length')) || undefined;
    let done = 0;
    for await (const piece of response.body ?? []) {
      clearTimeout(silence);
      await sink(piece);
      done += piece.length;
      onBytes(done, length);
      silence = give(limits.stallMs, `it stalled after ${done} bytes: nothing more`);
    }
  } finally {
    clearTimeout(silence);
    clearTimeout(total);
  }
};

const failed = (url: string, error: unknown): Fault =>
  fault('SERVER_NOT_FOUND', `${url}: ${reasonOf(error)}`);

/** A small text; `SERVER_NOT_FOUND` with the address and the reason. */
export const downloadText =
  (url: string, limits: DownloadLimits): TaskEither<Fault, string> =>
  async () => {
    const pieces: Uint8Array[] = [];
    try {
      await pull(
        url,
        limits,
        (piece) => void pieces.push(piece),
        () => undefined,
      );
      return right(Buffer.concat(pieces).toString('utf8'));
    } catch (error) {
      return left(failed(url, error));
    }
  };

/** A file to `path`, which is overwritten; gives the SHA-256 of what was written, in hexadecimal. */
export const downloadFile =
  (url: string, path: string, limits: DownloadLimits, onBytes: OnBytes): TaskEither<Fault, string> =>
  async () => {
    try {
      const hash = createHash('sha256');
      const file = await open(path, 'w', 0o600);
      try {
        const sink = async (piece: Uint8Array): Promise<void> => {
          hash.update(piece);
          await file.writeFile(piece);
        };
        await pull(url, limits, sink, onBytes);
      } finally {
        await file.close();
      }
      return right(hash.digest('hex'));
    } catch (error) {
      return left(failed(url, error));
    }
  };
