import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type DeadDetails, MAX_REDRIVE, type RedriveAnswer } from '../../schemas/dead.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { isName } from '../../schemas/names.js';
import { OPS } from '../../schemas/operate.js';
import { LetterBox } from '../dead/letter-box.js';
import { Redriver } from '../dead/redriver.js';
import type { LogIndex } from '../index/log-index.js';
import type { Producer } from '../../journal/producer/producer.js';
import { fitting } from '../serving/answer.js';
import type { Body, Handler } from '../serving/serve-requests.js';

const MAX_PAGE = 500;
const INDEX_WAIT_MS = 20_000;

const isSequence = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

const invalid = (key: string, wanted: string): Fault =>
  fault('PAYLOAD_INVALID', `the request needs ${key}, ${wanted}`, `/${key}`);

const sequence = (body: Body, key: string): E.Either<Fault, number> =>
  isSequence(body[key]) ? E.right(body[key]) : E.left(invalid(key, 'a sequence'));

const sequences = (body: Body, key: string): E.Either<Fault, readonly number[]> => {
  const value = body[key];
  return Array.isArray(value) && value.length <= MAX_REDRIVE && value.every(isSequence)
    ? E.right(value)
    : E.left(invalid(key, `${MAX_REDRIVE} sequences at most`));
};

const page = ({
  from = 1,
  limit = MAX_PAGE,
  module,
}: Body): E.Either<Fault, Parameters<LetterBox['page']>> => {
  if (!isSequence(from)) return E.left(invalid('from', 'a sequence'));
  if (!isSequence(limit)) return E.left(invalid('limit', 'a number from 1 on'));
  if (module !== undefined && !(typeof module === 'string' && isName(module))) {
    return E.left(invalid('module', 'a name'));
  }
  return E.right([from, Math.min(limit, MAX_PAGE), module]);
};

export interface DeadContext {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly producer: Producer;
  readonly index: LogIndex;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
}

/** What an operator asks about dead letters, by subject. */
export const deadOperations = ({
  nc,
  jsm,
  producer,
  index,
  refusal,
}: DeadContext): ReadonlyMap<string, Handler> => {
  const letters = new LetterBox(jsm, index.redrives);
  const redriver = new Redriver(producer, index, letters);
  const task = <A>(work: () => Promise<A>): TE.TaskEither<Fault, A> =>
    TE.tryCatch(work, (error) => toFault(error, 'LOG_UNAVAILABLE'));
  const handler =
    <A>(
      read: (body: Body) => E.Either<Fault, A>,
      work: (input: A) => Promise<E.Either<Fault, object>>,
    ): Handler =>
    (body) =>
      pipe(
        TE.fromEither(read(body)),
        TE.chain((input) => task(() => work(input))),
        TE.chainEitherK((answer) => answer),
      );

  const redriveAll = async (seqs: readonly number[], again: boolean): Promise<E.Either<Fault, object>> => {
    const full = refusal();
    if (full !== undefined) return E.left(full);
    // A redrive that another broker recorded just before this one took over is in the log, and must be known.
    const { state } = await jsm.streams.info(LOG);
    if (!(await index.reachedWithin(state.last_seq, INDEX_WAIT_MS))) {
      return E.left(
        fault('LOG_UNAVAILABLE', `the log was not read up to ${state.last_seq} in time; try again`),
      );
    }
    const answers = await Promise.all(
      seqs.map(async (letter): Promise<RedriveAnswer> => {
        const redriven = await redriver.redrive(letter, again);
        return E.isLeft(redriven) ? { letter, error: redriven.left } : { letter, command: redriven.right };
      }),
    );
    return E.right({ answers });
  };

  /** The payload is in the log, whatever its size. */
  const shown = (letter: DeadDetails): { readonly letter: DeadDetails } =>
    fitting(nc, { letter }, () => ({ letter: { ...letter, payload: null } }));

  return new Map<string, Handler>([
    [OPS.deadList, handler(page, async (range) => E.right(await letters.page(...range)))],
    [
      OPS.deadShow,
      handler(
        (body) => sequence(body, 'seq'),
        async (seq) => {
          const found = await letters.find(seq);
          return found === undefined
            ? E.left(fault('DEAD_UNKNOWN', `command ${seq} is no dead letter`))
            : // A reply with an `error` member would be taken for a refusal.
              E.right(shown(await letters.details(found)));
        },
      ),
    ],
    [
      OPS.deadRedrive,
      (body) =>
        handler(
          (all) => sequences(all, 'seqs'),
          (seqs) => redriveAll(seqs, body.again === true),
        )(body),
    ],
    [
      OPS.deadResults,
      handler(
        (body) => sequences(body, 'commands'),
        async (commands) => E.right({ results: await letters.results(commands) }),
      ),
    ],
  ]);
};
