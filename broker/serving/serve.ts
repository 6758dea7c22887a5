import type { Msg, NatsConnection, Subscription } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { processLog } from '../../system/lines/broker-log.js';
import type { People, Taken } from '../intake/intake.js';
import { HEADER } from '../../schemas/headers.js';
import { PRINCIPAL_MARK } from '../../schemas/names.js';
import { headerOf } from '../../link/message-headers.js';
import { Seldom } from '../../system/lines/seldom.js';
import { askingOf } from './asking.js';
import type { Entrance } from './entrance.js';
import { LaterRefusals } from './later-refusals.js';
import { overloaded } from './overloaded.js';
import { CALLER_GONE } from './closed-connections.js';
import type { Asking } from './waiting-requests.js';

/** The reply to a message that cannot be served: INTERNAL, in the form of an error for its subject. */
export type Refuse = (msg: Msg, problem: Fault) => void;

export interface Serving {
  /** Where requests come from, unless there is an entrance; and where answers go. */
  readonly nc: NatsConnection;
  readonly subject: string;
  readonly handle: (msg: Msg) => void | Promise<void>;
  readonly refuse: Refuse;
  /** Where people's requests come in and wait their turn. */
  readonly entrance?: Entrance;
}

/** Until `unsubscribe` it is served. */
export type Listening = Pick<Subscription, 'unsubscribe'>;

const MAX_STACK = 4_096;

const later = new LaterRefusals();

const seldom = new Seldom((text) => processLog.line('serving', text, { level: 'error' }));

const describe = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);

/** Says in the broker's log why a request had no other answer than INTERNAL. */
export const sayFailed = (msg: Msg, why: string): void =>
  seldom.say(`a request on ${msg.subject.slice(0, 256)} failed: ${why.slice(0, MAX_STACK)}`);

/** Reports the exception, and replies to the caller without its details, which are in the broker's output. */
const failed = (msg: Msg, thrown: unknown, refuse: Refuse): void => {
  sayFailed(msg, describe(thrown));
  try {
    if (msg.reply !== undefined && msg.reply !== '') {
      refuse(msg, fault('INTERNAL', 'the broker could not answer this; its log says why'));
    }
  } catch (error) {
    seldom.say(`not even a refusal could be sent: ${describe(error)}`);
  }
};

/**
 * Serves a subject: the only way in which the broker subscribes to what others send. Nothing that a handler throws,
 * now or later, gets out of here: into the client it would end the reading of all that comes, into the process the
 * process.
 */
export const serve = (serving: Serving): Listening => {
  const { nc, subject, entrance } = serving;
  if (entrance !== undefined)
    return entrance.people.subscribe(subject, (taken) => enter(serving, entrance, taken));
  return nc.subscribe(subject, {
    callback: (error, msg) => {
      if (error === null) handled(serving, msg, () => undefined);
    },
  });
};

const handled = ({ handle, refuse }: Serving, msg: Msg, done: () => void): void => {
  try {
    const handling = handle(msg);
    if (!(handling instanceof Promise)) return;
    handling.catch((thrown) => failed(msg, thrown, refuse)).finally(done);
  } catch (thrown) {
    failed(msg, thrown, refuse);
    done();
  }
};

/** Sends a refusal. The connection may be closed by then, and that is only said. */
export const refuseSafely = (msg: Msg, refuse: Refuse, problem: Fault): void => {
  try {
    refuse(msg, problem);
  } catch (error) {
    seldom.say(`a refusal could not be sent: ${describe(error)}`);
  }
};

/** Why its sender, if that is a principal, may not make the request. */
const notAllowed = ({ judge }: Entrance, { msg, connection }: Taken): Fault | undefined =>
  connection.startsWith(PRINCIPAL_MARK) ? judge?.(msg) : undefined;

/** Handles the request, unless its sender may not make it. That is asked when its turn comes. */
const judged = (serving: Serving, entrance: Entrance, taken: Taken, done: () => void): void => {
  const { msg } = taken;
  const refused = notAllowed(entrance, taken);
  if (refused === undefined) return handled(serving, msg, done);
  refuseNow(serving, entrance, msg, refused);
  done();
};

const refuseNow = ({ refuse }: Serving, { refused: hear }: Entrance, msg: Msg, problem: Fault): void => {
  hear?.(msg, problem);
  if (msg.reply !== undefined && msg.reply !== '') refuseSafely(msg, refuse, problem);
  else seldom.say(`a request on ${msg.subject.slice(0, 256)} was refused: ${problem.message}`);
};

const enter = (serving: Serving, entrance: Entrance, taken: Taken): void => {
  const { msg, connection, isLeftOut, release } = taken;
  entrance.asked?.();
  const { turnstile, closed, usages } = entrance;
  const { asking, pace } = askingOf(msg, connection);
  const usage = usages.of(asking.account);
  const refused = (problem: Fault): void => {
    release();
    refuseLater(serving, msg, problem, asking);
  };
  if (isLeftOut) {
    usage.turnedAway();
    return refused(TOO_MUCH);
  }
  const { data } = msg;
  // What a producer numbers has its own limit, and its order over all of its connections.
  if (headerOf(msg, HEADER.id) !== undefined) {
    const tooMuch = usage.pace({ bytes: asking.bytes, data }, () => {
      release();
      judged(serving, entrance, taken, () => undefined);
    });
    return tooMuch === undefined ? undefined : refused(tooMuch);
  }
  const tooMuch = usage.admit({ bytes: asking.bytes, data });
  if (tooMuch !== undefined) return refused(tooMuch);
  const unknown = entrance.unknown?.(msg.subject);
  if (unknown !== undefined) {
    release();
    usage.left();
    // Grants come first: they alone tell a principal what it may ask for.
    return refuseNow(serving, entrance, msg, notAllowed(entrance, taken) ?? unknown);
  }
  const waits = msg.reply !== undefined && msg.reply !== '';
  const isOver = (): boolean => pace.isForReply === true && closed.has(connection);
  const drop = (): void => {
    usage.left();
    closed.dropped(asking.account, msg.subject);
    if (waits) refuseSafely(msg, serving.refuse, CALLER_GONE);
  };
  if (isOver()) {
    release();
    return drop();
  }
  const take = (): void => {
    release();
    if (isOver()) {
      turnstile.leave(asking);
      return drop();
    }
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      usage.left();
      turnstile.leave(asking);
    };
    if (waits) onAnswer(msg, done);
    judged(serving, entrance, taken, done);
    // There will be no reply, so there is nothing to wait for.
    if (!waits) done();
  };
  const full = turnstile.enter(asking, pace, take);
  if (full === undefined) return;
  usage.left();
  usage.turnedAway();
  refused(full);
};

const TOO_MUCH = overloaded(
  'requests of this connection or of all wait, with more bytes than the broker holds',
);

const EMPTY = new Uint8Array(0);

/** What is needed to refuse it: the payload of a request that is refused is not kept until then. */
const withoutPayload = ({ subject, reply = '', sid }: Msg, nc: NatsConnection): Msg => ({
  subject,
  reply,
  sid,
  data: EMPTY,
  respond: (data, options) => {
    nc.publish(reply, data, options);
    return true;
  },
  json: <T>() => ({}) as T,
  string: () => '',
});

const refuseLater = (
  { nc, entrance, refuse }: Serving,
  msg: Msg,
  full: Fault,
  { connection, bytes }: Asking,
): void => {
  entrance?.refused?.(msg, full);
  if (msg.reply !== undefined && msg.reply !== '') {
    const asked = withoutPayload(msg, nc);
    later.add(() => refuseSafely(asked, refuse, full), connection, bytes);
  } else
    seldom.say(
      `a request on ${msg.subject.slice(0, 256)} was refused, and no sender waits for a reply: ${full.message}`,
    );
};

/** Reports when a request has its reply, from any handler. */
const onAnswer = (msg: Msg, done: () => void): void => {
  const respond = msg.respond.bind(msg);
  msg.respond = (...answer) => {
    done();
    return respond(...answer);
  };
};

/**
 * Where requests of modules come in: over the log's connection, since a handler's call may be what a client waits for.
 * They have turns as all others, by the account that the server wrote into the subject; a module counts as one
 * connection. What may depend on one another has no common limit on what waits for results: see `asking.ts`.
 */
export const modulesEntrance = (nc: NatsConnection, entrance: Entrance): Entrance => {
  const people: People = {
    subscribe: (subject, callback) =>
      nc.subscribe(subject, {
        callback: (error, msg) => {
          if (error !== null) return;
          const connection = `${msg.subject.slice(msg.subject.lastIndexOf('.') + 1)}/`;
          callback({ msg, connection, isLeftOut: false, release: () => undefined });
        },
      }),
  };
  return { ...entrance, people };
};
