import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import {
  type FenceReply,
  type FenceRequest,
  type OpenReply,
  type OpenRequest,
  PRODUCER,
  type StoredReply,
  type StoredRequest,
} from '../../schemas/producer-requests.js';
import type { EpochSource, LastEpoch, NextEpoch } from './epoch-source.js';
import { GROUPING } from '../append/grouping.js';
import { linkedRequest } from '../../link/linked-request.js';
import { isNobody, untilServed } from '../../link/until-served.js';
import { epochEnd } from '../append/recovery.js';
import { SparseSequences } from '../wire/sparse-sequences.js';

export interface RequestedEpochs {
  readonly nc: NatsConnection;
  /** The producer's name within the account of the connection. */
  readonly name: string;
  /** Different for each process. */
  readonly instance: string;
  /** The module whose events a trusted program writes, from within the account of the log. */
  readonly account?: string;
}

/** What every request says of who asks. */
const claimOf = ({ name, account }: RequestedEpochs): { readonly name: string; readonly account?: string } =>
  account === undefined ? { name } : { name, account };

/** The broker answers requests of one account one after the other. */
const TIMEOUT_MS = 30_000;
const ask = <A>(nc: NatsConnection, subject: string, request: object): TE.TaskEither<Fault, A> =>
  pipe(
    TE.tryCatch(
      async () => {
        const reply = await untilServed(() =>
          linkedRequest(nc, subject, encodeJson(request), { timeout: TIMEOUT_MS }),
        );
        return reply.json<A & { error?: Fault }>();
      },
      (thrown) =>
        isNobody(thrown)
          ? fault('BROKER_UNREACHABLE', `no broker serves ${subject}: is it running?`)
          : fault('LOG_UNAVAILABLE', `no answer to ${subject}: ${(thrown as Error).message}`),
    ),
    TE.chainEitherK((reply) => (reply.error === undefined ? E.right(reply) : E.left(reply.error))),
  );

/** Which numbers of the last epoch are stored, and where; page by page, as the broker gives them. */
const readStored = (
  options: RequestedEpochs,
  { epoch, settledSeq }: LastEpoch,
  fence: number,
): TE.TaskEither<Fault, ReadonlyMap<number, number>> => {
  const found = new Map<number, number>();
  const page = (fromSeq: number): TE.TaskEither<Fault, ReadonlyMap<number, number>> => {
    const request: StoredRequest = { ...claimOf(options), epoch, fromSeq, toSeq: fence };
    return pipe(
      ask<StoredReply>(options.nc, PRODUCER.stored, request),
      TE.chain(({ stored, readTo }) => {
        for (const [n, seq] of stored) if (!found.has(n)) found.set(n, seq);
        return readTo < fence ? page(readTo + 1) : TE.right(found);
      }),
    );
  };
  // With what was settled last: numbers that are left out are counted from its own.
  return page(Math.max(1, settledSeq));
};

/** How the last epoch ended: by what its producer was told and, beyond that, by what was found. */
const endOf = ({ epoch, known, settledSeq }: LastEpoch, stored: ReadonlyMap<number, number>) => {
  const numbers = new SparseSequences();
  for (const n of stored.keys()) numbers.add(n);
  const end = epochEnd({ epoch, stored: numbers, fromSeq: settledSeq, known });
  return end === undefined || end.last === 0 ? null : end;
};

/**
 * Epochs of a producer outside the broker, which asks the broker for each. The first one takes the producer over from
 * any holder; for the later ones this process must still have it, else EPOCH_LOST: one that was paused while its
 * replacement took over learns it so, and does not take over in turn.
 */
export const requestedEpochs = (options: RequestedEpochs): EpochSource => {
  const { nc, instance } = options;
  const claim = claimOf(options);
  let takeover = true;
  const lookBack = (
    last: LastEpoch,
  ): TE.TaskEither<Fault, readonly [ReadonlyMap<number, number>, number]> => {
    const request: FenceRequest = { ...claim, instance, takeover };
    return pipe(
      ask<FenceReply>(nc, PRODUCER.fence, request),
      TE.chain(({ fence }) => {
        takeover = false;
        return pipe(
          readStored(options, last, fence),
          TE.map((stored) => [stored, fence] as const),
        );
      }),
    );
  };
  return (last) =>
    pipe(
      last === undefined || last.isSettled === true
        ? TE.right([new Map<number, number>(), 0] as const)
        : lookBack(last),
      TE.chain(([stored, fence]) => {
        const previous = last === undefined ? null : endOf(last, stored);
        const request: OpenRequest = { ...claim, instance, takeover, previous };
        return pipe(
          ask<OpenReply>(nc, PRODUCER.open, request),
          TE.map(({ producer, epoch, durability, window }): NextEpoch => {
            takeover = false;
            return {
              epoch,
              // Where nothing was looked for, nothing is in question.
              fence: fence === 0 ? epoch : fence,
              as: {
                producer,
                isServed: window !== undefined,
                grouping:
                  window === undefined
                    ? GROUPING[durability]
                    : { window, groupFrom: Number.POSITIVE_INFINITY },
              },
              find: (n) => stored.get(n),
            };
          }),
        );
      }),
    );
};
