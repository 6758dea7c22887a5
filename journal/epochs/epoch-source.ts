import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type NatsConnection, nuid } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Draft } from '../append/draft.js';
import { checkHolder, lastEpochOf } from './epoch-holder.js';
import { type EpochRequest, type OpenedEpoch, openEpoch } from './epoch.js';
import type { Grouping } from '../append/grouping.js';
import { inTurn } from '../../system/async/in-turn.js';
import type { EpochEnd } from '../append/recovery.js';

/** What a producer knows of the epoch that broke. */
export interface LastEpoch {
  readonly epoch: number;
  /** Everything at or below is settled. */
  readonly settledSeq: number;
  /** What it was told of that epoch; absent in another process. */
  readonly known?: EpochEnd;
  /** The fate of every record is known: nothing need be looked for. */
  readonly isSettled?: boolean;
}

export interface NextEpoch {
  readonly epoch: number;
  /** The whole name of the producer and how its records travel, where the program that appends is told them. */
  readonly as?: {
    readonly producer: string;
    readonly grouping: Grouping;
    /** See AppenderOptions. */
    readonly isServed: boolean;
  };
  /** No record of an earlier epoch stands above this sequence. */
  readonly fence: number;
  /** The sequence at which a record of the last epoch stands, by its number and what it says; undefined: nowhere. */
  readonly find: (n: number, draft: Draft) => number | undefined;
}

/** Opens a producer's epochs. EPOCH_LOST: another process has taken over, and this one must stop. */
export type EpochSource = (last: LastEpoch | undefined) => TE.TaskEither<Fault, NextEpoch>;

/** Whether a stored record is what was sent. A sender can put any identity on its command. */
const isOf =
  ({ subject, data }: Draft) =>
  (message: StoredMessage): boolean =>
    message.subject === subject && Buffer.compare(message.data, data) === 0;

/**
 * How many records before its fence a takeover looks at. The refusal of a record ends its epoch, so that behind the
 * record stand only those that were on their way by then.
 */
const LOOK_BACK = 50_000;

export type Takeover = Omit<EpochRequest, 'fromSeq' | 'lookBack' | 'ends' | 'known' | 'believes'> & {
  /** Whether a record with the producer's name can be the producer's. */
  readonly isOwn?: (message: StoredMessage) => boolean;
};

/**
 * Takes a producer's name over from a process of which nothing is known but what is in the log, which may have been
 * killed after some of its records were refused: what it left out is looked for, and is in the record of the new
 * epoch.
 */
export const takeOver = ({ isOwn = () => true, ...request }: Takeover): TE.TaskEither<Fault, OpenedEpoch> =>
  pipe(
    lastEpochOf(request.nc, request.producer),
    TE.chain((ends) =>
      openEpoch({
        ...request,
        ...(ends === undefined ? {} : { ends, fromSeq: ends + 1, lookBack: LOOK_BACK }),
        believes: (message, epoch) => epoch === ends && isOwn(message),
      }),
    ),
  );

export interface BrokerEpochs {
  readonly nc: NatsConnection;
  readonly producer: string;
  /** The broker's own epoch. */
  readonly under: number;
  /** What the subjects of this producer's records begin with. */
  readonly prefixes: readonly string[];
}

/** Epochs of a producer inside the broker, which writes the epoch records itself: one source a life of a producer. */
export const brokerEpochs = (options: BrokerEpochs): EpochSource => {
  const { nc, producer } = options;
  const by = nuid.next();
  let isHeld = false;
  const request = { ...options, by };
  const open = (last: LastEpoch | undefined): TE.TaskEither<Fault, NextEpoch> =>
    pipe(
      // The first epoch of a life takes the name over from its holder; later epochs must not.
      isHeld ? checkHolder(nc, producer, by) : TE.right(undefined),
      TE.chain(() =>
        last === undefined
          ? takeOver(request)
          : openEpoch({
              ...request,
              ends: last.epoch,
              // With what was settled last: numbers that are left out are counted from its own.
              fromSeq: Math.max(1, last.settledSeq),
              ...(last.known === undefined ? {} : { known: last.known }),
              believes: (_, epoch) => epoch === last.epoch,
            }),
      ),
      TE.map(({ epoch, fence, stored }) => {
        isHeld = true;
        return { epoch, fence, find: (n, draft) => stored.get(n)?.find(isOf(draft))?.seq };
      }),
    );
  // One process opens all epochs of a log, the broker that holds it: in turn, so that no process takes the name over
  // between the look at who holds it and the fence.
  return (last) => () => inTurn(producer, open(last));
};
