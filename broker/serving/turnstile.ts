import Denque from 'denque';
import type { Fault } from '../../schemas/errors.js';
import { overloaded } from './overloaded.js';

/** What one kind of request may have at a time, of one connection. */
export interface ConnectionBounds {
  /** Requests that are being answered; the next ones wait their turn. */
  readonly inFlight: number;
  /** The same while other connections ask too; one more is taken whenever none was for {@link STUCK_MS}. */
  readonly amongOthers?: number;
  /** Likewise: no further one is taken while these have so many bytes. */
  readonly amongOthersBytes?: number;
  /**
   * While other connections ask too, each request keeps its place for so long, milliseconds: also one that is
   * answered at once.
   */
  readonly amongOthersMs?: number;
  /** Requests of one line that wait; what comes then is refused. Without it, as many as of the connection. */
  readonly waiting?: number;
}

export interface TurnstileBounds {
  /** Requests of one connection that wait, and their bytes; what comes then is refused. */
  readonly connection: { readonly requests: number; readonly bytes: number };
  /** The same of one account. */
  readonly account: { readonly requests: number; readonly bytes: number };
  /**
   * So much of one connection may wait whatever waits of its account: many connections of one sender fill what the
   * account may have.
   */
  readonly small?: { readonly requests: number; readonly bytes: number };
}

const MIB = 1024 * 1024;

export const BOUNDS: TurnstileBounds = {
  connection: { requests: 20_000, bytes: 32 * MIB },
  account: { requests: 100_000, bytes: 64 * MIB },
  small: { requests: 100, bytes: 64 * 1024 },
};

/** Who asks, and for what. `line`: what is taken in its order; the connection has a line for each kind of request. */
export interface Asking {
  readonly account: string;
  readonly connection: string;
  readonly line: string;
  readonly bytes: number;
}

/** Taken in one turn of a line, bytes: who sends large requests has fewer of them taken. */
const QUANTUM_BYTES = 16 * 1024;
/**
 * For so long requests are taken before the connection is read again, milliseconds: what is not read waits in the
 * server.
 */
const SLICE_MS = 3;
/** For so long a connection that has asked counts as one of those that ask, milliseconds. */
const ASKING_MS = 1_000;
/** Answers that take long are no reason to keep more from being asked for, milliseconds. */
const STUCK_MS = 25;

interface HeldOfConnection {
  requests: number;
  bytes: number;
}

interface WaitingRequest {
  readonly asking: Asking;
  readonly take: () => void;
}

interface ConnectionQueue {
  readonly connection: string;
  readonly pace: ConnectionBounds;
  readonly queue: Denque<WaitingRequest>;
  inFlight: number;
  bytesInFlight: number;
  credit: number;
  isReady: boolean;
  takenAt: number;
  isTimed: boolean;
}

const NO_CONNECTION = { connection: '', at: Number.NEGATIVE_INFINITY };

const isSmall = ({ small }: TurnstileBounds, held: HeldOfConnection | undefined, bytes: number): boolean =>
  small !== undefined && (held?.requests ?? 0) < small.requests && (held?.bytes ?? 0) + bytes <= small.bytes;

const tooLong = ({ line: name }: Asking, { pace, queue }: ConnectionQueue): Fault | undefined => {
  const [, verb] = name.split(' ');
  return pace.waiting === undefined || queue.length < pace.waiting
    ? undefined
    : overloaded(`${pace.waiting} requests of this connection for ${verb} wait, and no more may`);
};

/**
 * Takes requests in turn from all who ask: each connection waits in separate lines, so a sender of many requests
 * waits only for itself. Waiting requests are bounded by connection and by account.
 */
export class Turnstile {
  readonly #lines = new Map<string, ConnectionQueue>();
  readonly #held = new Map<string, HeldOfConnection>();
  /** Lines of which the next request may be taken, in the order of their turns. */
  #ready: ConnectionQueue[] = [];
  /** Who asked last, and the last other one. */
  #latest = NO_CONNECTION;
  #before = NO_CONNECTION;
  #sliceEnds = 0;
  #isScheduled = false;

  constructor(private readonly bounds: TurnstileBounds = BOUNDS) {}

  /** Requests that wait, by account. */
  waiting(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#held].flatMap(([key, { requests }]) =>
        key.startsWith('a ') ? [[key.slice(2), requests] as const] : [],
      ),
    );
  }

  /**
   * Takes the request at once where nothing is before it, else in its turn; its handler calls `done` of {@link leave}
   * when it is answered. A fault: it is not taken at all.
   */
  enter(asking: Asking, pace: ConnectionBounds, take: () => void): Fault | undefined {
    const line = this.#lineOf(asking, pace);
    if (asking.connection !== this.#latest.connection) this.#before = this.#latest;
    this.#latest = { connection: asking.connection, at: performance.now() };
    const isFirst = line.queue.isEmpty() && this.#ready.length === 0;
    if (isFirst && this.#mayTake(line) && this.#hasTime()) {
      this.#taken(line, asking);
      take();
      return undefined;
    }
    const full = tooLong(asking, line) ?? this.#full(asking);
    if (full !== undefined) {
      this.#forget(asking, line);
      return full;
    }
    this.#count(asking, 1);
    line.queue.push({ asking, take });
    this.#makeReady(line);
    return undefined;
  }

  /** A request that was taken is answered. */
  leave(asking: Asking): void {
    const line = this.#lines.get(asking.line);
    if (line === undefined) return;
    const { amongOthersMs } = line.pace;
    if (amongOthersMs === undefined || this.#isAlone(line)) return this.#left(asking, line);
    setTimeout(() => this.#left(asking, line), amongOthersMs);
  }

  #left(asking: Asking, line: ConnectionQueue): void {
    line.inFlight -= 1;
    line.bytesInFlight -= asking.bytes;
    this.#makeReady(line);
    this.#forget(asking, line);
  }

  #lineOf({ line: key, connection }: Asking, pace: ConnectionBounds): ConnectionQueue {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line: ConnectionQueue = {
      connection,
      pace,
      queue: new Denque(),
      inFlight: 0,
      bytesInFlight: 0,
      credit: 0,
      isReady: false,
      takenAt: 0,
      isTimed: false,
    };
    this.#lines.set(key, line);
    return line;
  }

  #forget({ line: key }: Asking, line: ConnectionQueue): void {
    if (line.inFlight === 0 && line.queue.isEmpty()) this.#lines.delete(key);
  }

  #full({ account, connection, bytes }: Asking): Fault | undefined {
    const by = [
      ['this connection', `c ${connection}`, this.bounds.connection],
      [`the account ${account}`, `a ${account}`, this.bounds.account],
    ] as const;
    const own = this.#held.get(`c ${connection}`);
    for (const [who, key, bound] of by) {
      const held = this.#held.get(key);
      if (held === undefined) continue;
      if (bound === this.bounds.account && isSmall(this.bounds, own, bytes)) continue;
      if (held.requests < bound.requests && held.bytes + bytes <= bound.bytes) continue;
      const quota = `${bound.requests} requests and ${bound.bytes} bytes`;
      return overloaded(
        `${held.requests} requests of ${who} wait, with ${held.bytes} bytes, and ${quota} may`,
      );
    }
    return undefined;
  }

  #count({ account, connection, bytes }: Asking, sign: 1 | -1): void {
    for (const key of [`c ${connection}`, `a ${account}`]) {
      const held = this.#held.get(key) ?? { requests: 0, bytes: 0 };
      held.requests += sign;
      held.bytes += sign * bytes;
      if (held.requests === 0) this.#held.delete(key);
      else this.#held.set(key, held);
    }
  }

  #makeReady(line: ConnectionQueue): void {
    if (line.isReady || line.queue.isEmpty()) return;
    if (!this.#mayTake(line)) return this.#tryLater(line);
    line.isReady = true;
    this.#ready.push(line);
    this.#schedule();
  }

  #isAlone({ connection }: ConnectionQueue): boolean {
    const other = this.#latest.connection === connection ? this.#before : this.#latest;
    return performance.now() - other.at > ASKING_MS;
  }

  #mayTake(line: ConnectionQueue): boolean {
    const { inFlight, amongOthers = inFlight, amongOthersBytes = Number.POSITIVE_INFINITY } = line.pace;
    if (line.inFlight < amongOthers && line.bytesInFlight < amongOthersBytes) return true;
    if (line.inFlight >= inFlight) return false;
    return this.#isAlone(line) || performance.now() - line.takenAt >= STUCK_MS;
  }

  #taken(line: ConnectionQueue, { bytes }: Asking): void {
    line.inFlight += 1;
    line.bytesInFlight += bytes;
    line.takenAt = performance.now();
  }

  /** Where it is not an answer alone that it waits for. */
  #tryLater(line: ConnectionQueue): void {
    if (line.isTimed || line.inFlight >= line.pace.inFlight) return;
    line.isTimed = true;
    setTimeout(() => {
      line.isTimed = false;
      this.#makeReady(line);
    }, STUCK_MS);
  }

  /** Whether this turn of the event loop has time left for requests. */
  #hasTime(): boolean {
    const now = performance.now();
    if (this.#sliceEnds === 0) {
      this.#sliceEnds = now + SLICE_MS;
      this.#schedule();
    }
    return now < this.#sliceEnds;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Behind what the connection has brought by then.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sliceEnds = 0;
      this.#slice();
    });
  }

  #slice(): void {
    while (this.#ready.length > 0 && this.#hasTime()) {
      const turn = this.#ready;
      this.#ready = [];
      for (const [i, line] of turn.entries()) {
        if (!this.#hasTime()) {
          // Those that had no turn are the first of the next.
          this.#ready = [...turn.slice(i), ...this.#ready];
          break;
        }
        this.#serve(line);
      }
    }
    if (this.#ready.length > 0) this.#schedule();
  }

  #serve(line: ConnectionQueue): void {
    line.isReady = false;
    line.credit += QUANTUM_BYTES;
    // Some take long to answer: the others' turn comes in this slice or the next.
    for (let next = line.queue.peekFront(); next !== undefined; next = line.queue.peekFront()) {
      if (!this.#mayTake(line) || !this.#hasTime()) break;
      // A request has its own weight and what it costs to look at.
      const weight = next.asking.bytes + 512;
      if (weight > line.credit) break;
      line.credit -= weight;
      line.queue.shift();
      this.#count(next.asking, -1);
      this.#taken(line, next.asking);
      next.take();
    }
    if (line.queue.isEmpty()) line.credit = 0;
    this.#makeReady(line);
  }
}
