import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type Restarted, type RestartRequest, restartRequestSubject } from '../../schemas/restart.js';
import type { Refusal } from '../../schemas/result.js';
import { askAbout } from './ask-about.js';

export interface RestartOptions {
  /**
   * Where the handler begins to act: the number of a call, step or wait, or its name. What is before it is kept; 1
   * keeps nothing.
   */
  readonly from: number | string;
  /** How long to wait for the reply, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

/** Restarts the command at a place of the log. */
const restartCommand = (
  nc: NatsConnection,
  command: number,
  { from, timeoutMs }: RestartOptions,
): Promise<Either<Refusal, Restarted>> =>
  askAbout<Restarted>(nc, {
    command,
    subjectOf: restartRequestSubject,
    body: { from } satisfies RestartRequest,
    timeoutMs,
    unheard: 'the restart may be stored. Ask again',
  });

/** The same; throws what `wrong` makes of a refusal. */
export const restartOrThrow = async (
  nc: NatsConnection,
  command: number,
  options: RestartOptions,
  wrong: (said: Refusal) => Error,
): Promise<Restarted> => {
  const said = await restartCommand(nc, command, options);
  if (isLeft(said)) throw wrong(said.left);
  return said.right;
};
