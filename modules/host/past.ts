import { Pull } from '../../broker/journal/pull.js';
import { failPoint } from '../../broker/journal/fail-point.js';
import type { NatsConnection } from 'nats';
import type { StartReply } from '../../schemas/control.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { FoldedEvent, States } from './states.js';

/**
 * The module's own code cannot fold what the log holds. To begin again would not help: the process ends, and the broker
 * parks a module that keeps ending so.
 */
export class FoldError extends Error {
  override readonly name = 'FoldError';
}

const WINDOW = 5_000;
/** Changes that wait to be written, above which no more of the past is read: states are folded faster than written. */
const MAX_WAITING = 50_000;
const decoder = new TextDecoder();

/** Events of this module's own agent in the outcome of a command. */
const eventsOf = (module: string, result: Result): readonly FoldedEvent[] => {
  if (result.status !== 'ok' || result.out === undefined) return [];
  return result.out.flatMap(({ subject, data }) => {
    const parsed = splitSubject(subject);
    return parsed?.kind === 'evt' && parsed.module === module ? [{ name: parsed.name, data }] : [];
  });
};

/** Folds one record of the module's past; returns the command that it answers, if it is a result. */
const fold = (module: string, states: States, message: StoredMessage): number | undefined => {
  const subject = splitSubject(message.subject);
  if (subject === undefined || (subject.kind !== 'res' && subject.kind !== 'evt')) return undefined;
  const cause = parseSequence(message.header(HEADER.cause) ?? '');
  const agent = subject.agent ?? '';
  if (subject.kind === 'evt') {
    // A copy says nothing that its result did not; an event without a cause decides itself.
    if (cause === undefined) {
      states.apply(agent, message.seq, Date.parse(message.time), [
        { name: subject.name, data: JSON.parse(decoder.decode(message.data)) },
      ]);
    }
    return undefined;
  }
  const events = eventsOf(module, JSON.parse(decoder.decode(message.data)) as Result);
  states.apply(agent, message.seq, Date.parse(message.time), events);
  return cause;
};

/**
 * Reads the module's past up to its own epoch record: folds it into the states, and gives back which of the commands
 * that will come again have a result.
 */
export const foldPast = (
  nc: NatsConnection,
  apiPrefix: string,
  module: string,
  start: StartReply,
  states: States,
): Promise<Set<number>> =>
  new Promise((resolve, reject) => {
    const answered = new Set<number>();
    const pull = new Pull({
      nc,
      apiPrefix,
      consumer: start.foldConsumer,
      onBroken: (reason) => reject(new FaultError(reason)),
      onMessage: ({ message }) => {
        failPoint('host.folding');
        try {
          if (message.seq >= start.epoch) {
            pull.close();
            resolve(answered);
            return;
          }
          const cause = fold(module, states, message);
          if (cause !== undefined && cause >= start.resumeFrom) answered.add(cause);
          if (states.waiting < MAX_WAITING) pull.want(WINDOW);
          else void states.saved().then(() => pull.want(WINDOW));
        } catch (error) {
          pull.close();
          const text = `record ${message.seq} cannot be folded: ${(error as Error).message}`;
          reject(new FoldError(text, { cause: error }));
        }
      },
    });
    pull.want(WINDOW);
  });
