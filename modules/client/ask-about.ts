import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { neverSent } from '../../link/never-sent.js';
import { isNobody, untilServed } from '../../link/until-served.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseSequence } from '../../schemas/identity.js';
import { MAX_TIMER_MS } from '../../schemas/quantity.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import { DEFAULT_CALL_TIMEOUT_MS } from './task-client.js';

/** A request about a command that was sent before. */
interface RequestAbout {
  /** Sequence of the command. */
  readonly command: number;
  readonly subjectOf: (command: number) => string;
  readonly body: object;
  readonly timeoutMs?: number | undefined;
  /** What to know where no reply came: it may be stored. */
  readonly unheard: string;
}

/** Asks the broker about a command; what the reply has as its data. */
export const askAbout = async <Data>(
  nc: NatsConnection,
  { command, subjectOf, body, timeoutMs = DEFAULT_CALL_TIMEOUT_MS, unheard }: RequestAbout,
): Promise<Either<Refusal, Data>> => {
  if (parseSequence(String(command)) === undefined)
    return left(refusal(fault('SUBJECT_INVALID', `${command} is no sequence of a command`)));
  const subject = subjectOf(command);
  const silence = (thrown: unknown): Fault => {
    const unsent = neverSent(thrown, nc);
    if (unsent !== undefined) return unsent;
    return isNobody(thrown)
      ? fault('BROKER_UNREACHABLE', `no broker serves ${subject}: is it running?`)
      : fault('LOG_UNCERTAIN', `no answer to ${subject}: ${(thrown as Error).message}; ${unheard}`);
  };
  try {
    const timeout = Math.min(timeoutMs, MAX_TIMER_MS);
    const reply = await untilServed(() => nc.request(subject, JSON.stringify(body), { timeout }));
    const result = reply.json<Result>();
    return result.status === 'ok' ? right(result.data as Data) : left(result);
  } catch (thrown) {
    return left(refusal(silence(thrown)));
  }
};
