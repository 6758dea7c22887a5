import Denque from 'denque';
import type { Fault } from '../../schemas/errors.js';
import { AnswerRate } from './answer-rate.js';
import { overloaded } from './overloaded.js';
import { TimeSlice } from './time-slice.js';
import { type Asking, type TurnstileLimits, WaitingRequests } from './waiting-requests.js';

/** What one kind of request may have at a time, of one connection. */
export interface ConnectionLimits {
  /** Requests that are being answered; the next ones wait their turn. */
  readonly inFlight: number;
  /**
   * While no other connection asks: as many as are answered in `ms`, but not more than `inFlight` of this. So one who
   * begins to ask waits for so long at most.
   */
  readonly quick?: { readonly ms: number; readonly inFlight: number };
  /** The same while other connections ask too; one more is taken whenever none was for {@link STUCK_MS}. */
  readonly amongOthers?: number;
  /** Likewise: no further one is taken while these have so many bytes. */
  readonly amongOthersBytes?: number;
  /**
   * While other connections ask too, each request keeps its place for so long, milliseconds: also one that is
   * answered at once.
   */
  readonly amongOthersMs?: number;
  /** Nothing is done for it but a reply, so it is dropped when its connection has closed. */
  readonly isForReply?: boolean;
  /** Requests of one line that wait; what comes then is refused. Without it, as many as of the connection. */
  readonly waiting?: number;
}

/** Taken in one turn of a line, bytes: who sends large requests has fewer of them taken. */
const QUANTUM_BYTES = 16 * 1024;
/** For so long a connection that has asked counts as one of those that ask, milliseconds. */
const ASKING_MS = 1_000;
/** Answers that take long are no reason to keep more from being asked for, milliseconds. */
const STUCK_MS = 25;

interface WaitingRequest {
  readonly asking: Asking;
  readonly take: () => void;
}

interface ConnectionQueue {
  readonly connection: string;
  readonly pace: ConnectionLimits;
  readonly queue: Denque<WaitingRequest>;
  readonly rate: AnswerRate;
  inFlight: number;
  bytesInFlight: number;
  credit: number;
  isReady: boolean;
  takenAt: number;
  isTimed: boolean;
  /** Its connection has closed, and its requests are dropped: they wait for no place. */
  isOver: boolean;
}

const NO_CONNECTION = { connection: '', at: Number.NEGATIVE_INFINITY };

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
  readonly #waiting: WaitingRequests;
  readonly #time = new TimeSlice(() => this.#slice());
  /** Lines of which the next request may be taken, in the order of their turns. */
  #ready: ConnectionQueue[] = [];
  /** Who asked last, and the last other one. */
  #latest = NO_CONNECTION;
  #before = NO_CONNECTION;

  constructor(
    limits?: TurnstileLimits,
    private readonly now = (): number => performance.now(),
  ) {
    this.#waiting = new WaitingRequests(limits);
  }

  /** Requests that wait, by account. */
  waiting(): ReadonlyMap<string, number> {
    return this.#waiting.byAccount();
  }

  /**
   * Takes the request at once where nothing is before it, else in its turn; its handler calls `done` of {@link leave}
   * when it is answered. A fault: it is not taken at all.
   */
  enter(asking: Asking, pace: ConnectionLimits, take: () => void): Fault | undefined {
    const line = this.#lineOf(asking, pace);
    if (asking.connection !== this.#latest.connection) this.#before = this.#latest;
    this.#latest = { connection: asking.connection, at: this.now() };
    const isFirst = line.queue.isEmpty() && this.#ready.length === 0;
    if (isFirst && this.#mayTake(line) && this.#time.hasTime()) {
      this.#taken(line, asking);
      take();
      return undefined;
    }
    const full = tooLong(asking, line) ?? this.#waiting.full(asking);
    if (full !== undefined) {
      this.#forget(asking, line);
      return full;
    }
    this.#waiting.count(asking, 1);
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

  /**
   * A connection has closed. Its requests for a reply are taken in their turn, but wait for no other one's answer: the
   * taker drops them.
   */
  close(connection: string): void {
    if (!this.#waiting.has(connection)) return;
    for (const line of this.#lines.values()) {
      if (line.connection !== connection || line.pace.isForReply !== true) continue;
      line.isOver = true;
      this.#makeReady(line);
    }
  }

  #left(asking: Asking, line: ConnectionQueue): void {
    line.inFlight -= 1;
    line.bytesInFlight -= asking.bytes;
    line.rate.add(this.now());
    this.#makeReady(line);
    this.#forget(asking, line);
  }

  #lineOf({ line: key, connection }: Asking, pace: ConnectionLimits): ConnectionQueue {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line: ConnectionQueue = {
      connection,
      pace,
      queue: new Denque(),
      rate: new AnswerRate(this.now()),
      inFlight: 0,
      bytesInFlight: 0,
      credit: 0,
      isReady: false,
      takenAt: 0,
      isTimed: false,
      isOver: false,
    };
    this.#lines.set(key, line);
    return line;
  }

  #forget({ line: key }: Asking, line: ConnectionQueue): void {
    if (line.inFlight === 0 && line.queue.isEmpty()) this.#lines.delete(key);
  }

  #makeReady(line: ConnectionQueue): void {
    if (line.isReady || line.queue.isEmpty()) return;
    if (!this.#mayTake(line)) return this.#tryLater(line);
    line.isReady = true;
    this.#ready.push(line);
    this.#time.schedule();
  }

  #isAlone({ connection }: ConnectionQueue): boolean {
    const other = this.#latest.connection === connection ? this.#before : this.#latest;
    return this.now() - other.at > ASKING_MS;
  }

  #mayTake(line: ConnectionQueue): boolean {
    const {
      inFlight,
      amongOthers = inFlight,
      amongOthersBytes = Number.POSITIVE_INFINITY,
      quick,
    } = line.pace;
    if (line.isOver) return true;
    if (line.inFlight < amongOthers && line.bytesInFlight < amongOthersBytes) return true;
    if (line.inFlight < inFlight) return this.#isAlone(line) || this.now() - line.takenAt >= STUCK_MS;
    if (quick === undefined || line.inFlight >= Math.min(quick.inFlight, line.rate.within(quick.ms)))
      return false;
    return this.#isAlone(line);
  }

  #taken(line: ConnectionQueue, { bytes }: Asking): void {
    line.inFlight += 1;
    line.bytesInFlight += bytes;
    line.takenAt = this.now();
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

  /** Takes requests while there is time, from each line in turn. */
  #slice(): void {
    while (this.#ready.length > 0 && this.#time.hasTime()) {
      const turn = this.#ready;
      this.#ready = [];
      for (const [i, line] of turn.entries()) {
        if (!this.#time.hasTime()) {
          // Those that had no turn are the first of the next.
          this.#ready = [...turn.slice(i), ...this.#ready];
          break;
        }
        this.#serve(line);
      }
    }
    if (this.#ready.length > 0) this.#time.schedule();
  }

  #serve(line: ConnectionQueue): void {
    line.isReady = false;
    line.credit += QUANTUM_BYTES;
    // Some take long to answer: the others' turn comes in this slice or the next.
    for (let next = line.queue.peekFront(); next !== undefined; next = line.queue.peekFront()) {
      if (!this.#mayTake(line) || !this.#time.hasTime()) break;
      // A request has its own weight and what it costs to look at.
      const weight = next.asking.bytes + 512;
      if (weight > line.credit) break;
      line.credit -= weight;
      line.queue.shift();
      this.#waiting.count(next.asking, -1);
      this.#taken(line, next.asking);
      next.take();
    }
    if (line.queue.isEmpty()) line.credit = 0;
    this.#makeReady(line);
  }
}
