import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { headerOf } from '../../link/message-headers.js';
import { cagedStateAt } from '../../replay/diff/caged-past.js';
import { fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { type ModuleInfo, OPS } from '../../schemas/operate.js';
import type { Refusal } from '../../schemas/result.js';
import { stateSubject } from '../../schemas/subjects.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator, readMasks } from '../requests/operator-request.js';
import { PlacesForReads } from '../requests/places-for-reads.js';
import type { LocalStates } from '../requests/local-states.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { placeIn, queryOf } from '../requests/query-words.js';
import { sendFault, sendRefusal } from '../requests/http-problem.js';
import { relay } from '../requests/relay.js';
import { agentIn, askedAgent } from '../requests/asked-agent.js';
import { agentListQueryOf, listAgents, withSnapshots } from './agent-list.js';

/** The broker waits some seconds for the sequence that a request names. */
const STATE_MS = 5_000;

/** States of agents: as they are in the bytes that the broker replied with, as they were, and a list of all. */
export const serveAgents = (
  app: FastifyInstance,
  links: PrincipalLinks,
  local: Pick<LocalStates, 'learn'> | undefined,
): void => {
  const reads = new PlacesForReads('lists of agents', { all: 16, each: 8 });
  const folds = new PlacesForReads('states of the past', { all: 4, each: 2 });

  const now = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { authorization } = request.headers;
    const asked = askedAgent(request);
    if (E.isLeft(asked)) return sendFault(reply, asked.left);
    const { module, agent, atLeast } = asked.right;
    const said = await relay(links, authorization, {
      subject: stateSubject(module, agent),
      payload: new Uint8Array(),
      headers: atLeast === 0 ? {} : { [HEADER.atLeast]: `${atLeast}` },
      timeoutMs: STATE_MS,
      mayStore: false,
    })();
    if (E.isLeft(said)) return sendFault(reply, said.left);
    if (headerOf(said.right, HEADER.serviceErrorCode) !== undefined)
      return sendRefusal(reply, said.right.json<Refusal>());
    local?.learn(authorization, module);
    return reply.code(200).type('application/json').send(said.right.data);
  };

  const past = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['at']),
            E.chain((query) => pipe(E.Do, E.apS('of', agentIn(request)), E.apS('at', placeIn(query, 'at')))),
          ),
        ),
        TE.chain(({ of: { module, agent }, at = 1 }) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              TE.Do,
              TE.bind('info', () => askBroker<ModuleInfo>(nc, OPS.moduleInfo, { name: module })),
              TE.bind('masks', () => readMasks(nc)),
              TE.bind('found', ({ info: { manifest, dir } }) =>
                withSnapshots(nc, module, (agents) => cagedStateAt({ nc, agents, manifest, dir, agent, at })),
              ),
              TE.chainEitherK(({ info, masks, found }) => {
                if (found === undefined)
                  return E.left(
                    fault('AGENT_UNKNOWN', `nothing had happened to ${agent} of ${module} by then`),
                  );
                const state = masks.with(info.manifest).state(module, found.state);
                return E.right({ module, agent, ...found, state });
              }),
            ),
          ),
        ),
        folds.within(request.headers.authorization),
      ),
    );

  const list = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(agentListQueryOf(request)),
        TE.chain((query) =>
          asOperator(links, request, 'reader', (nc) =>
            listAgents(nc, (request.params as { readonly module: string }).module, query),
          ),
        ),
        reads.within(request.headers.authorization),
      ),
    );

  app.get('/v1/agents/:module', list);
  app.get('/v1/agents/:module/:agent', (request, reply) =>
    Object.hasOwn(request.query as object, 'at') ? past(request, reply) : now(request, reply),
  );
};
