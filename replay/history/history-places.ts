import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import {
  type ApiFailure,
  firstSince,
  type LogApi,
  lastMatch,
  logEnds,
} from '../../journal/read/reader-api.js';
import { FaultError } from '../../schemas/errors.js';

export interface Patience {
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number | undefined;
}

const PATIENCE_MS = 30_000;
const RETRY_MS = 100;

/**
 * Where things are in a log; waits for a server that is away, as reading does. Throws LOG_UNAVAILABLE,
 * SERVER_REFUSED.
 */
export class Places {
  readonly #api: LogApi;

  constructor(
    nc: NatsConnection,
    private readonly patience: Patience = {},
  ) {
    this.#api = { nc, prefix: '$JS.API' };
  }

  /** The last sequence of the log; 0 where it is empty. */
  async end(): Promise<number> {
    return (await this.#ask(() => logEnds(this.#api))).lastSeq;
  }

  /** The first record that was stored at a time or later; undefined: none yet. */
  since(time: Date): Promise<number | undefined> {
    return this.#ask(() => firstSince(this.#api, time));
  }

  /** The last record that was stored at a time, to the millisecond, or before; undefined: the last that there is. */
  async until(time: Date): Promise<number | undefined> {
    const behind = await this.since(new Date(time.getTime() + 1));
    return behind === undefined ? undefined : behind - 1;
  }

  /** The last record whose subject fits; undefined: none does. */
  lastOf(filters: readonly string[]): Promise<number | undefined> {
    return this.#ask(() => lastMatch(this.#api, filters));
  }

  async #ask<T>(ask: () => Promise<Either<ApiFailure, T>>): Promise<T> {
    const { signal, patienceMs = PATIENCE_MS } = this.patience;
    const until = performance.now() + patienceMs;
    for (;;) {
      const answer = await ask();
      if (!isLeft(answer)) return answer.right;
      const { kind, fault } = answer.left;
      if (kind !== 'silent' || signal?.aborted === true || performance.now() >= until)
        throw new FaultError(fault);
      await this.#moment();
    }
  }

  /** Until the connection is up, or a little while where it is. */
  #moment(): Promise<void> {
    const link = linkState(this.#api.nc);
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const timer = setTimeout(go, RETRY_MS);
      const forget = link.onChange(go);
    });
  }
}
