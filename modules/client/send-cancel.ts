import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { neverSent } from '../../link/never-sent.js';
import { isNobody, untilServed } from '../../link/until-served.js';
import { type Cancelled, type CancelRequest, cancelRequestSubject } from '../../schemas/cancel.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseSequence } from '../../schemas/identity.js';
import { MAX_TIMER_MS } from '../../schemas/quantity.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import { DEFAULT_CALL_TIMEOUT_MS } from './task-client.js';

export interface CancelOptions {
  /** First cancels the calls of the command's handler that have no result, and the calls of theirs. */
  readonly children?: boolean;
  /** How long to wait for the reply, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

const silence = (nc: NatsConnection, thrown: unknown, subject: string): Fault => {
  const unsent = neverSent(thrown, nc);
  if (unsent !== undefined) return unsent;
  const text = `no answer to ${subject}: ${(thrown as Error).message}; the cancel may be stored. Cancel it again`;
  return isNobody(thrown)
    ? fault('BROKER_UNREACHABLE', `no broker serves ${subject}: is it running?`)
    : fault('LOG_UNCERTAIN', text);
};

/** Cancels the command at a place of the log. */
export const cancelCommand = async (
  nc: NatsConnection,
  command: number,
  { children = false, timeoutMs = DEFAULT_CALL_TIMEOUT_MS }: CancelOptions = {},
): Promise<Either<Refusal, Cancelled>> => {
  if (parseSequence(String(command)) === undefined)
    return left(refusal(fault('SUBJECT_INVALID', `${command} is no sequence of a command`)));
  const subject = cancelRequestSubject(command);
  const request: CancelRequest = children ? { children } : {};
  try {
    const timeout = Math.min(timeoutMs, MAX_TIMER_MS);
    const reply = await untilServed(() => nc.request(subject, JSON.stringify(request), { timeout }));
    const result = reply.json<Result>();
    return result.status === 'ok' ? right(result.data as Cancelled) : left(result);
  } catch (thrown) {
    return left(refusal(silence(nc, thrown, subject)));
  }
};

/** The same; throws what `wrong` makes of a refusal. */
export const cancelOrThrow = async (
  nc: NatsConnection,
  command: number,
  options: CancelOptions | undefined,
  wrong: (said: Refusal) => Error,
): Promise<Cancelled> => {
  const said = await cancelCommand(nc, command, options);
  if (isLeft(said)) throw wrong(said.left);
  return said.right;
};
