import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Msg } from 'nats';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { encodeJson, parseJson } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import { type Restarted, type RestartRequest, RestartRequestSchema } from '../../schemas/restart.js';
import { type Address, addressText } from '../../schemas/subjects.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { Act } from '../audit/audit.js';
import type { ResultQuestion } from '../gateway/asked-command.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { type CommandLookup, type NamedCommand, namedCommand, commandIn } from '../gateway/named-command.js';
import { replyFault } from '../gateway/reply.js';
import { readRequest } from '../gateway/request.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, sayFailed, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Restarter } from './restarter.js';

export interface RestartsContext extends CommandLookup {
  readonly jsm: Pick<JetStreamManager, 'streams'>;
  readonly restarter: Pick<Restarter, 'restart'>;
  readonly directory: ModuleDirectory;
  /** Why an account may not send such a command now; undefined if it may. */
  readonly mayNotSend: (account: string, address: Address) => Fault | undefined;
  /** Records what an operator did. */
  readonly act: (act: Act) => Promise<void>;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
  readonly entrance: Entrance;
}

const INDEX_WAIT_MS = 20_000;
const NO_HEADERS: ReadonlySet<string> = new Set();

const checkRequest = compileOnUse<RestartRequest>(RestartRequestSchema, 'PAYLOAD_INVALID', 'request');

interface RestartQuestion extends ResultQuestion {
  readonly from: RestartRequest['from'];
}

const read = ({ directory, refusal }: RestartsContext, msg: Msg): E.Either<Fault, RestartQuestion> => {
  const full = refusal();
  return pipe(
    full === undefined ? E.right(undefined) : E.left(full),
    E.chain(() => readRequest(msg, directory, () => NO_HEADERS)),
    E.bindTo('request'),
    E.bind('seq', ({ request }) => commandIn(request.subject)),
    E.bind('body', () => pipe(parseJson(msg.data), E.chain(checkRequest))),
    E.map(({ request, seq, body }) => ({
      seq,
      sender: request.sender,
      from: body.from,
      ...(body.command === undefined ? {} : { command: body.command }),
    })),
  );
};

/** A right that was taken away since must not come back with an old command. */
const stillAllowed = (
  { keepsAll, mayNotSend }: RestartsContext,
  { sender }: RestartQuestion,
  { subject }: NamedCommand,
): E.Either<Fault, void> => {
  const problem = keepsAll(sender) ? undefined : mayNotSend(sender, subject);
  return problem === undefined ? E.right(undefined) : E.left(problem);
};

/** A restart that another broker stored just before this one took over is in the log, and must be known. */
const caughtUp = ({ jsm, index }: RestartsContext): TE.TaskEither<Fault, void> =>
  pipe(
    TE.tryCatch(
      () => jsm.streams.info(LOG),
      (error) => toFault(error, 'LOG_UNAVAILABLE'),
    ),
    TE.chain(({ state }) => async () => {
      if (await index.reachedWithin(state.last_seq, INDEX_WAIT_MS)) return E.right(undefined);
      return E.left(fault('LOG_UNAVAILABLE', `the log was not read up to ${state.last_seq} in time`));
    }),
  );

const restarted = (context: RestartsContext, asked: RestartQuestion): TE.TaskEither<Fault, Restarted> =>
  pipe(
    namedCommand(context, asked),
    TE.chainFirstEitherK((command) => stillAllowed(context, asked, command)),
    TE.chainFirst(() => caughtUp(context)),
    TE.chain((command) => async () => {
      const { sender: by, from, seq } = asked;
      const said = await context.restarter.restart({ command, from, by });
      if (E.isRight(said) && !said.right.already && context.keepsAll(by))
        await context.act({
          principal: by,
          kind: 'command.restart',
          outcome: 'ok',
          target: `${addressText(command.subject)} ${seq}`,
          detail: `from ${said.right.from} as ${said.right.newCommand}`,
          log: said.right.newCommand,
        });
      return said;
    }),
  );

/**
 * Serves `restart.<sequence>` of people. The sender of a command may restart it if it may send such a command now, and
 * so may who may redrive all commands: the operator, and a principal with `operate keeper` or `operate admin`.
 */
export const serveRestarts = (context: RestartsContext): Listening => {
  const { nc, entrance } = context;
  const answer = async (msg: Msg): Promise<void> => {
    const said = await pipe(
      TE.fromEither(read(context, msg)),
      TE.chain((asked) => restarted(context, asked)),
    )();
    // The broker that has taken over has the request too.
    if (E.isLeft(said) && said.left.code === 'EPOCH_LOST') return;
    if (E.isRight(said)) return void msg.respond(encodeJson({ status: 'ok', data: said.right }));
    entrance.refused?.(msg, said.left);
    replyFault(msg, said.left);
  };
  return serve({
    nc,
    subject: SERVED.restarts,
    entrance,
    refuse: replyFault,
    // Not awaited: until it has its reply, the request keeps its place among those of its connection.
    handle: (msg) => void answer(msg).catch((thrown: unknown) => sayFailed(msg, String(thrown))),
  });
};
