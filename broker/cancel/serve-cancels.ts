import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type CancelRequest, CancelRequestSchema } from '../../schemas/cancel.js';
import { parseJson } from '../../schemas/json.js';
import { compileOnUse } from '../../schemas/validate.js';
import { namedCommand } from '../gateway/named-command.js';
import { type NamedCommandsContext, serveNamedCommands } from '../gateway/serve-named-commands.js';
import type { Listening } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Canceller } from './canceller.js';

export interface CancelsContext extends NamedCommandsContext {
  readonly canceller: Canceller;
}

const checkRequest = compileOnUse<CancelRequest>(CancelRequestSchema, 'PAYLOAD_INVALID', 'request');

/**
 * Serves `cancel.<sequence>` of people. The sender of a command may cancel it, and so may who may redrive all commands:
 * the operator, and a principal with `operate keeper` or `operate admin`.
 */
export const serveCancels = (context: CancelsContext): Listening =>
  serveNamedCommands<CancelRequest>(context, {
    subject: SERVED.cancels,
    bodyOf: ({ data }) => (data.length === 0 ? E.right({}) : pipe(parseJson(data), E.chain(checkRequest))),
    change: (question, { children = false }) =>
      pipe(
        namedCommand(context, question),
        TE.chain(
          () => () => context.canceller.cancel({ command: question.seq, by: question.sender, children }),
        ),
      ),
  });
