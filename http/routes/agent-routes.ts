import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { headerOf } from '../../link/message-headers.js';
import { HEADER } from '../../schemas/headers.js';
import { parseName } from '../../schemas/names.js';
import type { Refusal } from '../../schemas/result.js';
import { stateSubject } from '../../schemas/subjects.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { sendFault, sendRefusal } from '../requests/http-problem.js';
import { relay } from '../requests/relay.js';
import { atLeastOf } from '../requests/request-words.js';

/** The broker waits some seconds for the sequence that a request names. */
const STATE_MS = 5_000;

/** States of agents, in the bytes that the broker replied with. */
export const serveAgents = (app: FastifyInstance, links: PrincipalLinks): void => {
  app.get('/v1/agents/:module/:agent', async (request: FastifyRequest, reply: FastifyReply) => {
    const { module, agent } = request.params as { readonly module: string; readonly agent: string };
    const said = await pipe(
      TE.fromEither(
        pipe(
          parseName('module', module),
          E.chain(() => parseName('agent', agent)),
          E.chain(() => atLeastOf(request)),
        ),
      ),
      TE.chain((atLeast) =>
        relay(links, request.headers.authorization, {
          subject: stateSubject(module, agent),
          payload: new Uint8Array(),
          headers: atLeast === 0 ? {} : { [HEADER.atLeast]: `${atLeast}` },
          timeoutMs: STATE_MS,
          mayStore: false,
        }),
      ),
    )();
    if (E.isLeft(said)) return sendFault(reply, said.left);
    return headerOf(said.right, HEADER.serviceErrorCode) === undefined
      ? reply.code(200).type('application/json').send(said.right.data)
      : sendRefusal(reply, said.right.json<Refusal>());
  });
};
