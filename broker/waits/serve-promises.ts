import * as E from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { PROMISE_VERBS, parsePromiseId, type PromiseId, type PromiseVerb } from '../../schemas/promise.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { readRequest } from '../gateway/request.js';
import type { LogIndex } from '../index/log-index.js';
import { answer } from '../serving/answer.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import { settledWake } from './wake-draft.js';
import type { Wakes } from './wakes.js';

export interface PromisesContext {
  readonly nc: NatsConnection;
  readonly directory: ModuleDirectory;
  readonly entrance: Entrance;
  readonly index: Pick<LogIndex, 'commands' | 'reachedWithin'>;
  readonly wakes: Pick<Wakes, 'wake'>;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
}

const NO_HEADERS: ReadonlySet<string> = new Set();
/** A handler hands an id out when its record is stored; the index is at most this far behind. */
const READ_WAIT_MS = 1_000;

const isVerb = (text: string): text is PromiseVerb => (PROMISE_VERBS as readonly string[]).includes(text);

const unknown = (): Fault =>
  fault('PROMISE_UNKNOWN', 'no handler waits for a promise with that id: it has ended, or never was');

/** What is asked of which promise. */
const askedOf = (subject: string): E.Either<Fault, PromiseId & { readonly verb: PromiseVerb }> => {
  const [verb = '', id = '', ...more] = subject.split('.');
  const parsed = parsePromiseId(id);
  if (!isVerb(verb) || more.length > 0)
    return E.left(fault('SUBJECT_INVALID', 'a promise is ended by promise.resolve.ID or promise.reject.ID'));
  return parsed === undefined ? E.left(unknown()) : E.right({ ...parsed, verb });
};

/** Serves `promise.resolve.<id>` and `promise.reject.<id>`: the id is the right, so no grant is needed. */
export const servePromises = (context: PromisesContext): Listening => {
  const { nc, directory, entrance, index, wakes, refusal } = context;
  const refuse = (msg: Msg, problem: Fault): void => answer(nc, msg, E.left(problem));
  return serve({
    nc,
    entrance,
    subject: SERVED.promises,
    refuse,
    handle: async (msg) => {
      const request = readRequest(msg, directory, () => NO_HEADERS);
      if (E.isLeft(request)) return refuse(msg, request.left);
      const asked = askedOf(request.right.subject);
      if (E.isLeft(asked)) return refuse(msg, asked.left);
      const { cause, call, secret, verb } = asked.right;
      const wake = settledWake(verb, msg.data);
      if (E.isLeft(wake)) return refuse(msg, wake.left);
      const problem = refusal();
      if (problem !== undefined) return refuse(msg, problem);
      // A sequence that is far from the end of the log is no reason to wait.
      await index.reachedWithin(cause, READ_WAIT_MS);
      const wait = index.commands.waitsOf(cause).find((each) => each.call === call);
      if (wait?.promise !== secret || !(await wakes.wake(cause, wake.right, call)))
        return refuse(msg, unknown());
      answer(nc, msg, E.right({ ok: true }));
    },
  });
};
