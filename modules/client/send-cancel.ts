import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type Cancelled, type CancelRequest, cancelRequestSubject } from '../../schemas/cancel.js';
import type { Refusal } from '../../schemas/result.js';
import { askAbout } from './ask-about.js';

export interface CancelOptions {
  /** First cancels the calls of the command's handler that have no result, and the calls of theirs. */
  readonly children?: boolean;
  /** How long to wait for the reply, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

/** Cancels the command at a place of the log. */
export const cancelCommand = (
  nc: NatsConnection,
  command: number,
  { children = false, timeoutMs }: CancelOptions = {},
): Promise<Either<Refusal, Cancelled>> =>
  askAbout<Cancelled>(nc, {
    command,
    subjectOf: cancelRequestSubject,
    body: (children ? { children } : {}) satisfies CancelRequest,
    timeoutMs,
    unheard: 'the cancel may be stored. Cancel it again',
  });

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
