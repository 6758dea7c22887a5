import * as E from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { LAST_MS } from '../../schemas/instant.js';
import type { FilesToRead } from '../lmdb/files-to-read.js';
import type { IndexFiles } from './index-files.js';
import { indexToRead } from './index-to-read.js';

/** A wait of a handler that no wake has ended, as the index has it. */
export interface NotedWait {
  readonly module: string;
  /** The command whose handler waits. */
  readonly command: number;
  readonly call: number;
  /** The record with which it began. */
  readonly seq: number;
  /** RFC 3339; null: it is never due. */
  readonly until: string | null;
  /** The name of the signal that it waits for. */
  readonly signal: string | undefined;
  readonly isPromise: boolean;
}

/** In the order in which waits are due. */
type WaitKey = readonly [untilMs: number, command: number, call: number];

/** Waits, a page at a time. */
export interface NotedWaits {
  readonly waits: readonly NotedWait[];
  /** How many there are in all. */
  readonly count: number;
  /** What to give as `after` for the next page; null behind the last. */
  readonly next: string | null;
}

export interface WaitListOptions {
  readonly limit: number;
  readonly module?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

const AFTER = /^(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/;

const afterOf = ([untilMs, command, call]: WaitKey): string => `${untilMs}.${command}.${call}`;

/** Where a page of waits begins. PAYLOAD_INVALID: no page said so. */
export const parseWaitAfter = (text: string): E.Either<Fault, string> =>
  AFTER.test(text)
    ? E.right(text)
    : E.left(fault('PAYLOAD_INVALID', 'after is not what a page of waits has as `next`'));

const keyIn = (after: string): WaitKey => after.split('.').map(Number) as unknown as WaitKey;

const isBehind = (key: WaitKey, after: WaitKey): boolean => {
  const place = key.findIndex((part, i) => part !== after[i]);
  return place !== -1 && (key[place] as number) > (after[place] as number);
};

interface NotedCall {
  readonly seq: number;
  readonly signal?: string;
  readonly promise?: string;
}

/** The waits that the index of a broker has, read by memory map. CONVERSATIONS_UNAVAILABLE where there is none. */
export class OpenWaitsRead {
  readonly #files: FilesToRead<IndexFiles>;

  constructor(dataDir: string) {
    this.#files = indexToRead(
      dataDir,
      (why) =>
        new FaultError(
          fault('CONVERSATIONS_UNAVAILABLE', `there are no waits of ${dataDir} to read: ${why}`),
        ),
    );
  }

  /** Those that are due first, of all modules or of one. */
  list({ limit, module, after }: WaitListOptions): NotedWaits {
    const { tables, reads } = this.#files.now();
    const behind = after === undefined ? undefined : keyIn(after);
    try {
      const due: { readonly at: WaitKey; readonly module: string }[] = [];
      let [count, isMore] = [0, false];
      for (const { key, value } of tables.waits.getRange({ ...reads.options })) {
        const name = value.toString();
        if (module !== undefined && module !== name) continue;
        count += 1;
        const at = key as unknown as WaitKey;
        if (behind !== undefined && !isBehind(at, behind)) continue;
        if (due.length < limit) due.push({ at, module: name });
        else isMore = true;
      }
      const waits = due.flatMap(({ at: [untilMs, command, call], module: name }): NotedWait[] => {
        const bytes = reads.bytes(tables.calls, [command, call]);
        if (bytes === undefined) return [];
        const { seq, signal, promise } = JSON.parse(bytes.toString()) as NotedCall;
        const until = untilMs === LAST_MS ? null : new Date(untilMs).toISOString();
        return [{ ...{ module: name, command, call, seq, until, signal }, isPromise: promise !== undefined }];
      });
      const last = due.at(-1);
      return { waits, count, next: isMore && last !== undefined ? afterOf(last.at) : null };
    } finally {
      reads.done();
    }
  }

  close(): Promise<void> {
    return this.#files.close();
  }
}
