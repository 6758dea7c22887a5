import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { isName } from '../../schemas/names.js';
import type { JsonSchema } from '../../schemas/validate.js';
import { sensitiveText, stateEnd } from '../../store/snapshots/state-reply.js';
import { moduleUnknown } from '../gateway/call-admission.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { replyFault } from '../gateway/reply.js';
import { readRequest, type SignedRequest } from '../gateway/request.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { StateQuestion } from './state-messages.js';
import type { StateThread } from './state-thread.js';

export interface StatesContext {
  readonly nc: NatsConnection;
  readonly directory: ModuleDirectory;
  readonly entrance: Entrance;
  readonly states: Pick<StateThread, 'read'>;
  /** What a module marks in its states. */
  readonly marks: (module: string) => readonly JsonSchema[];
}

const ALLOWED: ReadonlySet<string> = new Set([HEADER.atLeast]);

const sequenceOf = ({ headers }: SignedRequest): E.Either<Fault, number> => {
  const text = headers[HEADER.atLeast];
  const seq = text === undefined ? 0 : parseSequence(text);
  return seq === undefined
    ? E.left(
        fault(
          'HEADER_INVALID',
          `${HEADER.atLeast}: ${JSON.stringify(text?.slice(0, 64))} is no sequence of a record`,
        ),
      )
    : E.right(seq);
};

type AskedState = Omit<StateQuestion, 'id'>;

/** What is asked, or why it cannot be: found without a look at the states. */
const askedOf = (directory: ModuleDirectory, request: SignedRequest): E.Either<Fault, AskedState> => {
  const [module = '', agent = '', ...more] = request.subject.split('.');
  if (more.length > 0) return E.left(fault('SUBJECT_INVALID', 'a state is asked for as state.MODULE.AGENT'));
  const odd = [module, ...(agent === '' ? [] : [agent])].find((name) => !isName(name));
  if (odd !== undefined)
    return E.left(
      fault('NAME_INVALID', `${JSON.stringify(odd.slice(0, 64))} is not 1 to 64 of A-Z a-z 0-9 _ -`),
    );
  if (directory.find(module) === undefined) return E.left(moduleUnknown(module));
  return pipe(
    sequenceOf(request),
    E.map((atLeast) => ({ module, agent, atLeast })),
  );
};

const withMarks = (reply: Uint8Array, marks: readonly JsonSchema[]): Uint8Array => {
  const sensitive = sensitiveText(marks);
  return sensitive === '' ? reply : Buffer.concat([reply.subarray(0, -1), Buffer.from(stateEnd(sensitive))]);
};

/**
 * Serves `state.<module>[.<agent>]`: the state of an agent, or of the module itself, without a command and without a
 * record. Whether the sender may read it is decided before: by the server, and for a principal by `judgeRequest`.
 */
export const serveStates = ({ nc, directory, entrance, states, marks }: StatesContext): Listening =>
  serve({
    nc,
    entrance,
    subject: SERVED.states,
    refuse: replyFault,
    handle: (msg: Msg) => {
      if (msg.reply === undefined || msg.reply === '') return;
      const asked = pipe(
        readRequest(msg, directory, () => ALLOWED),
        E.chain((request) => askedOf(directory, request)),
      );
      if (E.isLeft(asked)) {
        entrance.refused?.(msg, asked.left);
        return replyFault(msg, asked.left);
      }
      return states.read(asked.right).then((said) => {
        if (E.isLeft(said)) {
          entrance.refused?.(msg, said.left);
          replyFault(msg, said.left);
        } else msg.respond(withMarks(said.right, marks(asked.right.module)));
      });
    },
  });
