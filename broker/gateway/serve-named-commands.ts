import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Msg } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, sayFailed, serve } from '../serving/serve.js';
import type { ResultQuestion } from './asked-command.js';
import type { ModuleDirectory } from './directory.js';
import { type CommandLookup, commandIn } from './named-command.js';
import { replyFault } from './reply.js';
import { readRequest } from './request.js';

/** What serves requests of people that change one command. */
export interface NamedCommandsContext extends CommandLookup {
  readonly directory: ModuleDirectory;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
  readonly entrance: Entrance;
}

/** One kind of these requests: `subject.<sequence>`. */
export interface NamedCommandRequest<Body extends { readonly command?: string }> {
  readonly subject: string;
  readonly bodyOf: (msg: Msg) => E.Either<Fault, Body>;
  readonly change: (question: ResultQuestion, body: Body) => TE.TaskEither<Fault, unknown>;
}

const NO_HEADERS: ReadonlySet<string> = new Set();

/** Serves the requests of people that change one command, and answers each as a call is answered. */
export const serveNamedCommands = <Body extends { readonly command?: string }>(
  { nc, entrance, directory, refusal }: NamedCommandsContext,
  { subject, bodyOf, change }: NamedCommandRequest<Body>,
): Listening => {
  const read = (msg: Msg): E.Either<Fault, { readonly question: ResultQuestion; readonly body: Body }> => {
    const full = refusal();
    return pipe(
      full === undefined ? E.right(undefined) : E.left(full),
      E.chain(() => readRequest(msg, directory, () => NO_HEADERS)),
      E.bindTo('request'),
      E.bind('seq', ({ request }) => commandIn(request.subject)),
      E.bind('body', () => bodyOf(msg)),
      E.map(({ request, seq, body }) => {
        const { command } = body;
        const question = { seq, sender: request.sender, ...(command === undefined ? {} : { command }) };
        return { question, body };
      }),
    );
  };
  const answer = async (msg: Msg): Promise<void> => {
    const said = await pipe(
      TE.fromEither(read(msg)),
      TE.chain(({ question, body }) => change(question, body)),
    )();
    // The broker that has taken over has the request too.
    if (E.isLeft(said) && said.left.code === 'EPOCH_LOST') return;
    if (E.isRight(said)) return void msg.respond(encodeJson({ status: 'ok', data: said.right }));
    entrance.refused?.(msg, said.left);
    replyFault(msg, said.left);
  };
  return serve({
    nc,
    subject,
    entrance,
    refuse: replyFault,
    // Not awaited: until it has its reply, the request keeps its place among those of its connection.
    handle: (msg) => void answer(msg).catch((thrown: unknown) => sayFailed(msg, String(thrown))),
  });
};
