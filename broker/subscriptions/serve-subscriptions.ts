import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { isName } from '../../schemas/names.js';
import {
  type Acknowledge,
  AcknowledgeSchema,
  type DeleteSubscription,
  DeleteSubscriptionSchema,
  type NextEvents,
  NextEventsSchema,
  type OpenSubscription,
  OpenSubscriptionSchema,
  type OpenedSubscription,
  type Subscription,
  type SubscriptionVerb,
} from '../../schemas/subscription.js';
import { type Marks, NO_MARKS } from '../../schemas/sensitive.js';
import { type Check, compileOnUse } from '../../schemas/validate.js';
import type { Principals } from '../access/principals.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { readRequest } from '../gateway/request.js';
import { answer } from '../serving/answer.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import { mayListen } from './may-listen.js';
import type { SentPage, Subscriptions } from './subscriptions.js';
import { unknownEvents } from './unknown-events.js';

export interface SubscriptionsContext {
  readonly nc: NatsConnection;
  readonly directory: ModuleDirectory;
  readonly entrance: Entrance;
  readonly subscriptions: Subscriptions;
  /** What the modules mark as sensitive. */
  readonly marks: () => Marks;
  readonly principals: Pick<Principals, 'judged' | 'keepsLog' | 'readsLog'>;
}

const NO_HEADERS: ReadonlySet<string> = new Set();
const checkOf = <T>(schema: object): Check<T> => compileOnUse<T>(schema, 'PAYLOAD_INVALID', 'request');
const checkOpen = checkOf<OpenSubscription>(OpenSubscriptionSchema);
const checkNext = checkOf<NextEvents>(NextEventsSchema);
const checkAck = checkOf<Acknowledge>(AcknowledgeSchema);
const checkDelete = checkOf<DeleteSubscription>(DeleteSubscriptionSchema);

/** The body of a request; nothing is `{}`. */
const bodyOf = <T>({ data }: Msg, check: Check<T>): E.Either<Fault, T> =>
  data.length === 0 ? check({}) : pipe(parseJson(data), E.chain(check));

const FIRST = Buffer.from('{"events":[');
const COMMA = Buffer.from(',');

/** A page as bytes: the events are not printed again. */
const pageBytes = ({ events, upTo, position }: SentPage): Uint8Array => {
  const parts: Uint8Array[] = [];
  for (const event of events) parts.push(parts.length === 0 ? FIRST : COMMA, event);
  if (parts.length === 0) parts.push(FIRST);
  parts.push(Buffer.from(`],"upTo":${upTo},"position":${position}}`));
  return Buffer.concat(parts);
};

/** A program gets the whole events. What shows them to a person learns what to hide. */
const withEventMarks = (opened: Subscription, marks: Marks): OpenedSubscription => {
  const modules = [...new Set(opened.events.map((entry) => entry.split('.', 1)[0] ?? ''))];
  const marked = modules.flatMap((module) => {
    const events = Object.hasOwn(marks, module) ? (marks[module]?.events ?? {}) : {};
    return Object.keys(events).length === 0 ? [] : [[module, { ...NO_MARKS, events }] as const];
  });
  return marked.length === 0 ? opened : { ...opened, sensitive: Object.fromEntries(marked) };
};

/** An event that is named wrong never comes, and nobody would learn why. */
const withUnknownEvents = (opened: OpenedSubscription, directory: ModuleDirectory): OpenedSubscription => {
  const unknown = unknownEvents(opened.events, directory);
  return unknown.length === 0 ? opened : { ...opened, unknown };
};

type Reply = TaskEither<Fault, Uint8Array | object>;

/** What is asked of a subscription, by its verb. */
const replyTo = (
  context: SubscriptionsContext,
  msg: Msg,
  sender: string,
  verb: string,
  name: string,
): Reply => {
  const { subscriptions, principals } = context;
  const key = { account: sender, name };
  const may = mayListen(sender, principals);
  switch (verb as SubscriptionVerb) {
    case 'open':
      return pipe(
        TE.fromEither(bodyOf(msg, checkOpen)),
        TE.chain((asked) => subscriptions.open(key, asked, may)),
        TE.map((opened) => withUnknownEvents(withEventMarks(opened, context.marks()), context.directory)),
      );
    case 'next':
      return pipe(
        TE.fromEither(bodyOf(msg, checkNext)),
        TE.chain((asked) => subscriptions.next(key, asked, may)),
        TE.map(pageBytes),
      );
    case 'ack':
      return pipe(
        TE.fromEither(bodyOf(msg, checkAck)),
        TE.chain((asked): Reply => subscriptions.ack(key, asked, may)),
      );
    case 'delete':
      return pipe(
        TE.fromEither(bodyOf(msg, checkDelete)),
        TE.chain(
          ({ account = sender }): Reply =>
            account === sender || principals.keepsLog(sender)
              ? subscriptions.delete({ account, name })
              : TE.left(
                  fault('NOT_ALLOWED', `only an operator of the role keeper deletes what ${account} has`),
                ),
        ),
      );
    default:
      return TE.left(fault('SUBJECT_INVALID', 'a subscription is asked for by open, next, ack or delete'));
  }
};

const listFor = ({ subscriptions, principals }: SubscriptionsContext, sender: string): Reply =>
  pipe(
    subscriptions.list(principals.readsLog(sender) ? undefined : sender),
    TE.map((all) => ({ subscriptions: all })),
  );

const asked = (context: SubscriptionsContext, msg: Msg): Reply =>
  pipe(
    TE.fromEither(readRequest(msg, context.directory, () => NO_HEADERS)),
    TE.chain(({ subject, sender }) => {
      if (subject === 'list') return listFor(context, sender);
      const [verb = '', name = '', ...more] = subject.split('.');
      if (more.length > 0 || !isName(name))
        return TE.left(
          fault(
            'SUBJECT_INVALID',
            'a subscription has a name of 1 to 64 of A-Z a-z 0-9 _ -: subscription.next.NAME',
          ),
        );
      return replyTo(context, msg, sender, verb, name);
    }),
  );

/**
 * Serves `subscription.<verb>.<name>` and `subscription.list`. Each account has separate names. Whether it may listen
 * to the events is judged at each request, by the grants of that moment.
 */
export const serveSubscriptions = (context: SubscriptionsContext): Listening => {
  const { nc, entrance } = context;
  const refuse = (msg: Msg, problem: Fault): void => answer(nc, msg, E.left(problem));
  return serve({
    nc,
    entrance,
    subject: SERVED.subscriptions,
    refuse,
    handle: async (msg) => {
      if (msg.reply === undefined || msg.reply === '') return;
      const said = await asked(context, msg)();
      if (E.isLeft(said)) {
        entrance.refused?.(msg, said.left);
        return refuse(msg, said.left);
      }
      if (said.right instanceof Uint8Array) msg.respond(said.right);
      else answer(nc, msg, E.right(said.right));
    },
  });
};
