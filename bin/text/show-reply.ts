import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { withConnection } from '../connect/connect.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { ask } from '../../link/request-broker.js';
import { done } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';

export interface ShowOptions extends TargetOptions {
  readonly json?: boolean;
  /** How long the reply may take, milliseconds. */
  readonly timeout?: number;
}

/** Sends a request to the broker, and prints the reply as JSON or as text. */
export const showReply = <T>(
  options: ShowOptions,
  subject: string,
  body: Readonly<Record<string, unknown>>,
  format: (reply: T) => string,
): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      ask<T>(nc, subject, body, options.timeout),
      TE.map((reply) => {
        if (options.json === true) printJson(reply);
        else print(format(reply));
        return done;
      }),
    ),
  );
