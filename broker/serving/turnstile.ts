import { OwnerRing } from '../../system/async/owner-ring.js';
import type { Fault } from '../../schemas/errors.js';
import {
  type SharedPlaces,
  type ConnectionLimits,
  type ConnectionQueue,
  newQueue,
  newShare,
  tooLong,
} from './connection-queue.js';
import { LastAsked } from './last-asked.js';
import { TimeSlice } from './time-slice.js';
import { type Asking, type TurnstileLimits, WaitingRequests } from './waiting-requests.js';

/** Taken in one turn of a line, bytes: who sends large requests has fewer of them taken. */
const QUANTUM_BYTES = 16 * 1024;
/** Answers that take long are no reason to keep more from being asked for, milliseconds. */
const STUCK_MS = 25;

/**
 * Takes requests in turn from all who ask: first the accounts have their turns, then the connections of an account.
 * Each connection waits in separate lines, so a sender of many requests waits only for itself, whatever number of
 * connections it has. Waiting requests are bounded by connection and by account.
 */
export class Turnstile {
  readonly #lines = new Map<string, ConnectionQueue>();
  readonly #waiting: WaitingRequests;
  readonly #time = new TimeSlice(() => this.#slice());
  /** Lines of which the next request may be taken, in the order of their turns. */
  readonly #ready = new OwnerRing<ConnectionQueue>();
  readonly #shares = new Map<string, SharedPlaces>();
  readonly #connections = new LastAsked();
  readonly #accounts = new LastAsked();

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
    const now = this.now();
    this.#connections.asks(asking.connection, now);
    this.#accounts.asks(asking.account, now);
    const isFirst = line.queue.isEmpty() && this.#ready.length === 0 && line.share.held.isEmpty();
    if (isFirst && this.#mayTake(line) && this.#hasShare(line) && this.#time.hasTime()) {
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
      line.isHeld = false;
      this.#makeReady(line);
    }
  }

  #left(asking: Asking, line: ConnectionQueue): void {
    const { share } = line;
    line.inFlight -= 1;
    line.bytesInFlight -= asking.bytes;
    share.inFlight -= 1;
    share.bytesInFlight -= asking.bytes;
    line.rate.add(this.now());
    // Those that waited for this one are before it: each connection of the account has its turn.
    this.#letIn(share);
    this.#makeReady(line);
    this.#forget(asking, line);
  }

  #shareOf({ line, account, connection }: Asking): SharedPlaces {
    const key = `${account}${line.slice(connection.length)}`;
    const known = this.#shares.get(key);
    if (known !== undefined) return known;
    const share = newShare(key);
    this.#shares.set(key, share);
    return share;
  }

  #lineOf(asking: Asking, pace: ConnectionLimits): ConnectionQueue {
    const { line: key } = asking;
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const share = this.#shareOf(asking);
    share.lines += 1;
    const line = newQueue(asking, pace, share, this.now());
    this.#lines.set(key, line);
    return line;
  }

  #forget({ line: key }: Asking, line: ConnectionQueue): void {
    if (line.inFlight > 0 || !line.queue.isEmpty() || !this.#lines.delete(key)) return;
    const { share } = line;
    share.lines -= 1;
    if (share.lines === 0) this.#shares.delete(share.key);
  }

  /** It has its turn when its account has: behind the other connections of that account. */
  #makeReady(line: ConnectionQueue): void {
    if (line.isReady || line.isHeld || line.queue.isEmpty()) return;
    if (!this.#mayTake(line)) return this.#tryLater(line);
    const { share } = line;
    line.isHeld = true;
    share.held.push(line);
    this.#letIn(share);
    if (line.isHeld) this.#letInLater(share);
  }

  #letInLater(share: SharedPlaces): void {
    if (share.isTimed) return;
    share.isTimed = true;
    setTimeout(() => {
      share.isTimed = false;
      this.#letIn(share);
      if (!share.held.isEmpty()) this.#letInLater(share);
    }, STUCK_MS).unref();
  }

  /** The lines that waited for others of their account, as long as there is room. */
  #letIn(share: SharedPlaces): void {
    const { held } = share;
    for (let first = held.peekFront(); first !== undefined; first = held.peekFront()) {
      if (first.isHeld && !this.#hasShare(first, share.ready)) return;
      held.shift();
      if (!first.isHeld) continue;
      first.isHeld = false;
      first.isReady = true;
      share.ready += 1;
      this.#ready.add(first.account, first);
      this.#time.schedule();
    }
  }

  #isAlone({ connection }: ConnectionQueue): boolean {
    return this.#connections.isAlone(connection, this.now());
  }

  /** Whether its account, with `more` that have a turn, has fewer on their way than one connection may among others. */
  #hasShare({ account, share, pace, isOver }: ConnectionQueue, more = 0): boolean {
    // What one connection may have is looked at elsewhere.
    if (share.lines === 1 || isOver) return true;
    const { amongOthers = pace.inFlight, amongOthersBytes = Number.POSITIVE_INFINITY } = pace;
    if (share.inFlight + more < amongOthers && share.bytesInFlight < amongOthersBytes) return true;
    const now = this.now();
    return (more === 0 && now - share.takenAt >= STUCK_MS) || this.#accounts.isAlone(account, now);
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
    const { share } = line;
    line.inFlight += 1;
    line.bytesInFlight += bytes;
    line.takenAt = this.now();
    share.inFlight += 1;
    share.bytesInFlight += bytes;
    share.takenAt = line.takenAt;
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
    while (this.#ready.length > 0 && this.#time.hasTime()) this.#serve(this.#ready.take() as ConnectionQueue);
    if (this.#ready.length > 0) this.#time.schedule();
  }

  #serve(line: ConnectionQueue): void {
    line.isReady = false;
    line.share.ready -= 1;
    line.credit += QUANTUM_BYTES;
    // Some take long to answer: the others' turn comes in this slice or the next.
    for (let next = line.queue.peekFront(); next !== undefined; next = line.queue.peekFront()) {
      if (!this.#mayTake(line) || !this.#hasShare(line) || !this.#time.hasTime()) break;
      // A request has its own weight and what it costs to look at.
      const weight = next.asking.bytes + 512;
      if (weight > line.credit) break;
      line.credit -= weight;
      line.queue.shift();
      this.#waiting.count(next.asking, -1);
      this.#taken(line, next.asking);
      next.take();
      // The connections of its account have one place each in turn.
      if (line.share.lines > 1 && !this.#accounts.isAlone(line.account, this.now())) break;
    }
    if (line.queue.isEmpty()) line.credit = 0;
    this.#makeReady(line);
  }
}
