import Denque from 'denque';
import type { Fault } from '../../schemas/errors.js';
import { AnswerRate } from './answer-rate.js';
import { overloaded } from './overloaded.js';
import type { Asking } from './waiting-requests.js';

/** What one kind of request may have at a time, of one connection. */
export interface ConnectionLimits {
  /** Requests that are being answered; the next ones wait their turn. */
  readonly inFlight: number;
  /**
   * While no other connection asks: as many as are answered in `ms`, but not more than `inFlight` of this. So one who
   * begins to ask waits for so long at most.
   */
  readonly quick?: { readonly ms: number; readonly inFlight: number };
  /** The same while other connections ask too; one more is taken whenever none was for 25 ms. */
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

export interface WaitingRequest {
  readonly asking: Asking;
  readonly take: () => void;
}

/**
 * What the connections of one account have on their way of one kind: while other accounts ask, all of them together
 * have no more than one connection may. So an account with many connections gets no more for them.
 */
export interface SharedPlaces {
  readonly key: string;
  lines: number;
  inFlight: number;
  bytesInFlight: number;
  /** Lines that have their turn. */
  ready: number;
  takenAt: number;
  isTimed: boolean;
  /** Lines that wait for the other connections of their account, in the order of their turns. */
  readonly held: Denque<ConnectionQueue>;
}

export interface ConnectionQueue {
  readonly account: string;
  readonly connection: string;
  readonly share: SharedPlaces;
  readonly pace: ConnectionLimits;
  readonly queue: Denque<WaitingRequest>;
  readonly rate: AnswerRate;
  inFlight: number;
  bytesInFlight: number;
  credit: number;
  isReady: boolean;
  /** It waits for the other connections of its account. */
  isHeld: boolean;
  takenAt: number;
  isTimed: boolean;
  /** Its connection has closed, and its requests are dropped: they wait for no place. */
  isOver: boolean;
}

export const newShare = (key: string): SharedPlaces => ({
  key,
  lines: 0,
  inFlight: 0,
  bytesInFlight: 0,
  ready: 0,
  takenAt: 0,
  isTimed: false,
  held: new Denque(),
});

export const newQueue = (
  { account, connection }: Asking,
  pace: ConnectionLimits,
  share: SharedPlaces,
  now: number,
): ConnectionQueue => ({
  account,
  connection,
  share,
  pace,
  queue: new Denque(),
  rate: new AnswerRate(now),
  inFlight: 0,
  bytesInFlight: 0,
  credit: 0,
  isReady: false,
  isHeld: false,
  takenAt: 0,
  isTimed: false,
  isOver: false,
});

/** Why no more requests may wait in this line. */
export const tooLong = ({ line: name }: Asking, { pace, queue }: ConnectionQueue): Fault | undefined => {
  const [, verb] = name.split(' ');
  return pace.waiting === undefined || queue.length < pace.waiting
    ? undefined
    : overloaded(`${pace.waiting} requests of this connection for ${verb} wait, and no more may`);
};
