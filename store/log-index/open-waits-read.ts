import { FaultError, fault } from '../../schemas/errors.js';
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

  /** The first that are due, of all modules or of one, and how many there are in all. */
  list(limit: number, module?: string): { readonly waits: readonly NotedWait[]; readonly count: number } {
    const { tables, reads } = this.#files.now();
    try {
      const due: (readonly [untilMs: number, command: number, call: number, module: string])[] = [];
      let count = 0;
      for (const { key, value } of tables.waits.getRange({ ...reads.options })) {
        const name = value.toString();
        if (module !== undefined && module !== name) continue;
        count += 1;
        if (due.length >= limit) continue;
        const [untilMs, command, call] = key as unknown as readonly [number, number, number];
        due.push([untilMs, command, call, name]);
      }
      const waits = due.flatMap(([untilMs, command, call, name]): NotedWait[] => {
        const bytes = reads.bytes(tables.calls, [command, call]);
        if (bytes === undefined) return [];
        const { seq, signal, promise } = JSON.parse(bytes.toString()) as NotedCall;
        const until = untilMs === LAST_MS ? null : new Date(untilMs).toISOString();
        return [{ ...{ module: name, command, call, seq, until, signal }, isPromise: promise !== undefined }];
      });
      return { waits, count };
    } finally {
      reads.done();
    }
  }

  close(): Promise<void> {
    return this.#files.close();
  }
}
