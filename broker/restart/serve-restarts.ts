import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import { type Restarted, type RestartRequest, RestartRequestSchema } from '../../schemas/restart.js';
import { type Address, addressText } from '../../schemas/subjects.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { Act } from '../audit/audit.js';
import type { ResultQuestion } from '../gateway/asked-command.js';
import { type NamedCommand, namedCommand } from '../gateway/named-command.js';
import { type NamedCommandsContext, serveNamedCommands } from '../gateway/serve-named-commands.js';
import type { Listening } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Restarter } from './restarter.js';

export interface RestartsContext extends NamedCommandsContext {
  readonly jsm: Pick<JetStreamManager, 'streams'>;
  readonly restarter: Pick<Restarter, 'restart'>;
  /** Why an account may not send such a command now; undefined if it may. */
  readonly mayNotSend: (account: string, address: Address) => Fault | undefined;
  /** Records what an operator did. */
  readonly act: (act: Act) => Promise<void>;
}

const INDEX_WAIT_MS = 20_000;
const checkRequest = compileOnUse<RestartRequest>(RestartRequestSchema, 'PAYLOAD_INVALID', 'request');

/** A right that was taken away since must not come back with an old command. */
const stillAllowed = (
  { keepsAll, mayNotSend }: RestartsContext,
  { sender }: ResultQuestion,
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

const restarted = (
  context: RestartsContext,
  question: ResultQuestion,
  { from }: RestartRequest,
): TE.TaskEither<Fault, Restarted> =>
  pipe(
    namedCommand(context, question),
    TE.chainFirstEitherK((command) => stillAllowed(context, question, command)),
    TE.chainFirst(() => caughtUp(context)),
    TE.chain((command) => async () => {
      const { sender: by, seq } = question;
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
export const serveRestarts = (context: RestartsContext): Listening =>
  serveNamedCommands<RestartRequest>(context, {
    subject: SERVED.restarts,
    bodyOf: ({ data }) => pipe(parseJson(data), E.chain(checkRequest)),
    change: (question, request) => restarted(context, question, request),
  });
