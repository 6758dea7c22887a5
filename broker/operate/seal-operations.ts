import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { isName } from '../../schemas/names.js';
import { type AgentErasure, OPS } from '../../schemas/operate.js';
import type { Sealing } from '../sealing/sealing.js';
import type { Body, Handler } from '../serving/serve-requests.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { answerWithin } from './answer-within.js';

const nameIn = (body: Body, key: string): E.Either<Fault, string> => {
  const value = body[key];
  return typeof value === 'string' && isName(value)
    ? E.right(value)
    : E.left(fault('PAYLOAD_INVALID', `the request needs ${key}, a name`, `/${key}`));
};

/** The key is destroyed before the process is replaced: no process that starts from then on gets it. */
const erase =
  (sealing: Pick<Sealing, 'erase'>, supervisor: Pick<Supervisor, 'restart'>) =>
  (module: string, agent: string): TE.TaskEither<Fault, AgentErasure> =>
    pipe(
      TE.fromEither(sealing.erase(module, agent)),
      // Also of an agent that was erased before: the process may have been started before a kill.
      TE.chainFirst(() => supervisor.restart(module)),
      TE.map(({ already }) => ({ module, agent, already })),
    );

/** What an operator asks of the keys of agents, by subject. */
export const sealOperations = (
  sealing: Pick<Sealing, 'erase'>,
  supervisor: Pick<Supervisor, 'restart'>,
): readonly (readonly [string, Handler])[] => [
  [
    OPS.agentErase,
    (body, late) =>
      pipe(
        TE.Do,
        TE.bind('module', () => TE.fromEither(nameIn(body, 'module'))),
        TE.bind('agent', () => TE.fromEither(nameIn(body, 'agent'))),
        TE.chain(({ module, agent }) => erase(sealing, supervisor)(module, agent)),
        TE.map((erasure): object => erasure),
        answerWithin(body, 'the erasure', late),
      ),
  ],
];
