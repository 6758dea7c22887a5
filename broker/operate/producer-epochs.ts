import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseIdentity } from '../../schemas/identity.js';
import type { Durability } from '../../schemas/log.js';
import {
  type FenceReply,
  type FenceRequest,
  type OpenReply,
  type OpenRequest,
  producerOf,
  SEND_WINDOW,
  type StoredReply,
  type StoredRequest,
} from '../../schemas/producer-requests.js';
import type { StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { OutsideProducers } from '../gateway/outside-producers.js';
import { checkHolder, lastEpochOf } from '../../journal/epochs/epoch-holder.js';
import { takeOver } from '../../journal/epochs/epoch-source.js';
import { type EpochRecord, isReplaced, writeEpoch } from '../../journal/epochs/epoch.js';
import { readLog } from '../../journal/read/reader.js';

export interface EpochsContext {
  readonly nc: NatsConnection;
  /** The broker's own epoch. */
  readonly under: number;
  readonly durability: Durability;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
  /** Stores what programs outside number. */
  readonly outside: OutsideProducers;
}

/** Of one page: what is read for one request, and what goes into one reply (24 bytes each at most, and it must fit). */
const PAGE_READ = 50_000;
const PAGE_STORED = 20_000;

/** That a broker has been replaced says nothing of who asked it: the broker that took over is to be asked. */
const ofBroker = (problem: Fault): Fault =>
  isReplaced(problem) ? fault('LOG_UNAVAILABLE', 'another broker has taken the log over') : problem;

/**
 * Writes an epoch record for a program outside. A process that paused while another took over must not take over in
 * turn when it wakes up, so who does not take over has to be who wrote the last one.
 */
const write = (
  { nc, under }: EpochsContext,
  { takeover, instance }: FenceRequest,
  record: EpochRecord,
): TE.TaskEither<Fault, number> =>
  pipe(
    takeover ? TE.right(undefined) : checkHolder(nc, record.producer, instance),
    TE.chain(() => pipe(writeEpoch(nc, { ...record, by: instance }, under), TE.mapLeft(ofBroker))),
  );

/**
 * An epoch is of use to a producer that can append: in a full log its records would be refused, and epochs take the
 * reserve.
 */
export const whileRoom = <A>(
  { refusal }: EpochsContext,
  task: TE.TaskEither<Fault, A>,
): TE.TaskEither<Fault, A> => {
  const full = refusal();
  return full === undefined ? task : TE.left(full);
};

/** Before anything is written for a name: an account has so many and no more. */
const withRoomFor = ({ outside }: EpochsContext, producer: string): TE.TaskEither<Fault, void> => {
  const full = outside.makeRoom(producer);
  return full === undefined ? TE.right(undefined) : TE.left(full);
};

/** Fences off the epoch that a producer had: `producer.fence`. */
export const fence = (
  context: EpochsContext,
  account: string,
  request: FenceRequest,
): TE.TaskEither<Fault, FenceReply> =>
  pipe(
    withRoomFor(context, producerOf(account, request.name)),
    TE.chain(() => lastEpochOf(context.nc, producerOf(account, request.name))),
    TE.chain((ends) =>
      write(context, request, {
        phase: 'fence',
        producer: producerOf(account, request.name),
        ...(ends === undefined ? {} : { ends }),
      }),
    ),
    TE.map((seq) => ({ fence: seq })),
  );

/** What an account's producers write: commands, and events where it is a module's. */
const prefixesOf = (account: string): readonly string[] => ['cmd.', `evt.${account}.`];

/** An identity that another account claims is not believed. */
const isWrittenIn =
  (account: string) =>
  ({ subject }: StoredMessage): boolean => {
    const parts = splitSubject(subject);
    return parts?.kind === 'cmd'
      ? parts.sender === account
      : parts?.kind === 'evt' && parts.module === account;
  };

/** What a program says of its past is compared with the log, and never recorded: the broker looks for itself. */
const checkClaim =
  ({ previous }: OpenRequest, producer: string) =>
  (ends: number | undefined): E.Either<Fault, void> => {
    if (previous === null) return E.right(undefined);
    const { epoch, last, holes } = previous;
    if (epoch > (ends ?? 0)) {
      const text = `the log has no epoch ${epoch} of ${producer}`;
      return E.left(fault('PAYLOAD_INVALID', text, '/previous/epoch'));
    }
    return holes.every((n) => n < last)
      ? E.right(undefined)
      : E.left(
          fault('PAYLOAD_INVALID', 'a number that was left out is below the last one', '/previous/holes'),
        );
  };

/**
 * Opens the next epoch of a producer: `producer.open`. A program within CORE says how its epoch ended, and is believed.
 * Of all others the broker looks for it in the log.
 */
export const open = (
  context: EpochsContext,
  account: string,
  request: OpenRequest,
  isWithin: boolean,
): TE.TaskEither<Fault, OpenReply> => {
  const { nc, under, durability, outside } = context;
  const producer = producerOf(account, request.name);
  const { previous, takeover, instance } = request;
  const isOwn = isWrittenIn(account);
  const lookedFor = pipe(
    takeOver({ nc, under, producer, by: instance, prefixes: prefixesOf(account), isOwn }),
    TE.bimap(ofBroker, ({ epoch }) => epoch),
  );
  const opened = isWithin
    ? takeover && previous === null
      ? lookedFor
      : write(context, request, { phase: 'open', producer, previous })
    : pipe(
        withRoomFor(context, producer),
        TE.chain(() => (takeover ? TE.right(undefined) : checkHolder(nc, producer, instance))),
        TE.chain(() => lastEpochOf(nc, producer)),
        TE.chainEitherK(checkClaim(request, producer)),
        TE.chain(() => lookedFor),
      );
  return pipe(
    opened,
    TE.map((epoch) => {
      if (isWithin) return { producer, epoch, durability };
      outside.opened(producer, epoch);
      return { producer, epoch, durability, window: SEND_WINDOW };
    }),
  );
};

/** The numbers of an epoch that the log has: `producer.stored`. Reads the account's own records only. */
export const stored = (
  { nc }: EpochsContext,
  account: string,
  { name, epoch, fromSeq, toSeq }: StoredRequest,
): TE.TaskEither<Fault, StoredReply> =>
  TE.tryCatch(
    async () => {
      const producer = producerOf(account, name);
      const isOwn = isWrittenIn(account);
      const found: (readonly [number, number])[] = [];
      let read = 0;
      // Not by filters: see openEpoch.
      for await (const message of readLog(nc, { fromSeq, toSeq, headersOnly: true })) {
        const id = isOwn(message) ? parseIdentity(message.header(HEADER.id) ?? '') : undefined;
        if (id?.producer === producer && id.epoch === epoch) found.push([id.n, message.seq]);
        read += 1;
        if (read === PAGE_READ || found.length === PAGE_STORED) return { stored: found, readTo: message.seq };
      }
      return { stored: found, readTo: toSeq };
    },
    (error) => toFault(error, 'LOG_UNAVAILABLE'),
  );
