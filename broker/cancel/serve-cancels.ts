import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Msg } from 'nats';
import { type Cancelled, type CancelRequest, CancelRequestSchema } from '../../schemas/cancel.js';
import type { Fault } from '../../schemas/errors.js';
import { encodeJson, parseJson } from '../../schemas/json.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { ResultQuestion } from '../gateway/asked-command.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { type CommandLookup, namedCommand, commandIn } from '../gateway/named-command.js';
import { replyFault } from '../gateway/reply.js';
import { readRequest } from '../gateway/request.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, sayFailed, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Canceller } from './canceller.js';

export interface CancelsContext extends CommandLookup {
  readonly canceller: Canceller;
  readonly directory: ModuleDirectory;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
  readonly entrance: Entrance;
}

const NO_HEADERS: ReadonlySet<string> = new Set();

const checkRequest = compileOnUse<CancelRequest>(CancelRequestSchema, 'PAYLOAD_INVALID', 'request');

interface CancelQuestion extends ResultQuestion {
  readonly children: boolean;
}

const bodyOf = ({ data }: Msg): E.Either<Fault, CancelRequest> =>
  data.length === 0 ? E.right({}) : pipe(parseJson(data), E.chain(checkRequest));

const read = ({ directory, refusal }: CancelsContext, msg: Msg): E.Either<Fault, CancelQuestion> => {
  const full = refusal();
  return pipe(
    full === undefined ? E.right(undefined) : E.left(full),
    E.chain(() => readRequest(msg, directory, () => NO_HEADERS)),
    E.bindTo('request'),
    E.bind('seq', ({ request }) => commandIn(request.subject)),
    E.bind('body', () => bodyOf(msg)),
    E.map(({ request, seq, body }) => ({
      seq,
      sender: request.sender,
      children: body.children === true,
      ...(body.command === undefined ? {} : { command: body.command }),
    })),
  );
};

const cancelled = (context: CancelsContext, msg: Msg): TE.TaskEither<Fault, Cancelled> =>
  pipe(
    TE.fromEither(read(context, msg)),
    TE.chainFirst((asked) => namedCommand(context, asked)),
    TE.chain(
      ({ seq, sender, children }) =>
        () =>
          context.canceller.cancel({ command: seq, by: sender, children }),
    ),
  );

/**
 * Serves `cancel.<sequence>` of people. The sender of a command may cancel it, and so may who may redrive all commands:
 * the operator, and a principal with `operate keeper` or `operate admin`.
 */
export const serveCancels = (context: CancelsContext): Listening => {
  const { nc, entrance } = context;
  const answer = async (msg: Msg): Promise<void> => {
    const said = await cancelled(context, msg)();
    // The broker that has taken over has the request too.
    if (E.isLeft(said) && said.left.code === 'EPOCH_LOST') return;
    if (E.isRight(said)) return void msg.respond(encodeJson({ status: 'ok', data: said.right }));
    entrance.refused?.(msg, said.left);
    replyFault(msg, said.left);
  };
  return serve({
    nc,
    subject: SERVED.cancels,
    entrance,
    refuse: replyFault,
    // Not awaited: until it has its reply, the request keeps its place among those of its connection.
    handle: (msg) => void answer(msg).catch((thrown: unknown) => sayFailed(msg, String(thrown))),
  });
};
