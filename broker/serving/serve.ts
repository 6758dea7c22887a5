import type { Msg, NatsConnection, Subscription } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { Seldom } from '../journal/seldom.js';

/** How a message is answered that nobody can answer: INTERNAL, in the form that its subject has for a no. */
export type Refuse = (msg: Msg, problem: Fault) => void;

export interface Serving {
  readonly nc: NatsConnection;
  readonly subject: string;
  readonly handle: (msg: Msg) => void | Promise<void>;
  readonly refuse: Refuse;
}

const MAX_STACK = 4_096;

const seldom = new Seldom((text) => process.stderr.write(`${new Date().toISOString()} [serving] ${text}\n`));

const describe = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);

/** Says in the broker's log why a request had no other answer than INTERNAL. */
export const sayFailed = (msg: Msg, why: string): void =>
  seldom.say(`a request on ${msg.subject.slice(0, 256)} failed: ${why.slice(0, MAX_STACK)}`);

/** Says what was thrown, and answers whoever waits: with nothing of the details, which are in the broker's log. */
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
 * Serves a subject: the only way in which the broker subscribes to what others send. Nothing that a handler throws, now or
 * later, gets out of here: into the client it would end the reading of all that comes, into the process the process.
 */
export const serve = ({ nc, subject, handle, refuse }: Serving): Subscription =>
  nc.subscribe(subject, {
    callback: (error, msg) => {
      if (error !== null) return;
      try {
        const handling = handle(msg);
        if (handling instanceof Promise) handling.catch((thrown) => failed(msg, thrown, refuse));
      } catch (thrown) {
        failed(msg, thrown, refuse);
      }
    },
  });
