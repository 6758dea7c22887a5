import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import {
  FenceRequestSchema,
  type FenceRequest,
  type OpenRequest,
  OpenRequestSchema,
  PRODUCER,
  type StoredRequest,
  StoredRequestSchema,
} from '../../schemas/producer-requests.js';
import { type Check, compileOnUse } from '../../schemas/validate.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { readSigned, type SignedSubject } from '../gateway/signed-subject.js';
import { SerialQueue } from '../../system/async/serial-queue.js';
import { overloaded } from '../serving/overloaded.js';
import { type Handler, serveRequests } from '../serving/serve-requests.js';
import type { Entrance } from '../serving/entrance.js';
import type { Listening } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import { type EpochsContext, fence, open, stored, whileRoom } from './producer-epochs.js';

export interface ProducersContext extends EpochsContext {
  readonly directory: Pick<ModuleDirectory, 'find'>;
  /** Where people's requests come in. */
  readonly entrance: Entrance;
  /** Modules whose events programs within CORE write. */
  readonly trusted: ReadonlySet<string>;
}

/** Requests of one account that may wait while another of it is answered. */
const MAX_WAITING = 100;

const checkFence: Check<FenceRequest> = compileOnUse(FenceRequestSchema, 'PAYLOAD_INVALID', 'request');
const checkStored: Check<StoredRequest> = compileOnUse(StoredRequestSchema, 'PAYLOAD_INVALID', 'request');
const checkOpen: Check<OpenRequest> = compileOnUse(OpenRequestSchema, 'PAYLOAD_INVALID', 'request');

/** An invalid name has a separate code; then the rest of the request. */
const checked =
  <T>(check: Check<T>) =>
  (body: Readonly<Record<string, unknown>>): E.Either<Fault, T> =>
    typeof body.name === 'string'
      ? pipe(
          parseName('producer', body.name),
          E.chain(() => check(body)),
        )
      : check(body);

/** `isWithin`: of a program within CORE, which writes to the log itself. */
type Verb = (context: ProducersContext, account: string, isWithin: boolean) => Handler;

const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  [
    PRODUCER.fence,
    (context, account) => (body) =>
      pipe(
        TE.fromEither(checked(checkFence)(body)),
        TE.chain(
          (request): TE.TaskEither<Fault, object> => whileRoom(context, fence(context, account, request)),
        ),
      ),
  ],
  [
    PRODUCER.stored,
    (context, account) => (body) =>
      pipe(
        TE.fromEither(checked(checkStored)(body)),
        TE.chain((request): TE.TaskEither<Fault, object> => stored(context, account, request)),
      ),
  ],
  [
    PRODUCER.open,
    (context, account, isWithin) => (body) =>
      pipe(
        TE.fromEither(checked(checkOpen)(body)),
        TE.chain(
          (request): TE.TaskEither<Fault, object> =>
            whileRoom(context, open(context, account, request, isWithin)),
        ),
      ),
  ],
]);

/** Only a program within CORE reaches the broker without a sender behind the verb. */
const isWithinCore = (subject: string): boolean => subject.split('.').length === 2;

/**
 * Whose records are to be written, by a program within CORE: it names a module, and only one that it may be trusted
 * with.
 */
const trustedAccount = (
  { trusted }: ProducersContext,
  { account }: Readonly<Record<string, unknown>>,
): E.Either<Fault, string> =>
  typeof account === 'string' && trusted.has(account)
    ? E.right(account)
    : E.left(fault('PAYLOAD_INVALID', 'account names no module that a program is trusted with', '/account'));

const CORE = 'CORE';

const readVerb = (subject: string, { directory }: ProducersContext): E.Either<Fault, SignedSubject> =>
  isWithinCore(subject)
    ? E.right({ subject: subject.slice(subject.indexOf('.') + 1), sender: CORE })
    : readSigned(subject, directory);

/**
 * Gives outside programs their epochs. Requests of one account are served one after the other: an account that asks
 * often, or for much, delays only itself. It also makes of "who wrote the last one? then I" one step.
 */
export const serveProducers = (context: ProducersContext): readonly Listening[] => {
  const { nc, entrance } = context;
  const accounts = new Map<string, SerialQueue>();
  const find = (subject: string): Handler | undefined => {
    const signed = readVerb(subject, context);
    if (E.isLeft(signed)) return () => TE.left(signed.left);
    const { sender } = signed.right;
    const verb = verbs.get(`producer.${signed.right.subject}`);
    if (verb === undefined) return undefined;
    const queue = accounts.get(sender) ?? new SerialQueue();
    accounts.set(sender, queue);
    return (body) => () => {
      const { length } = queue;
      if (length > MAX_WAITING)
        return Promise.resolve(E.left(overloaded(`${length} requests of this account wait`)));
      return queue.run(
        pipe(
          TE.fromEither(sender === CORE ? trustedAccount(context, body) : E.right(sender)),
          TE.chain((account) => verb(context, account, sender === CORE)(body)),
        ),
      );
    };
  };
  return [
    serveRequests(nc, SERVED.producers, find, entrance),
    serveRequests(nc, SERVED.trustedProducers, find),
  ];
};
