import * as E from 'fp-ts/lib/Either.js';
import type { FastifyInstance } from 'fastify';
import { askedAgent } from './asked-agent.js';
import type { LocalStates } from './local-states.js';

const AGENTS = '/v1/agents/';

/**
 * Answers requests for states that this process may read itself. It goes before the judgement of guests: what asks the
 * broker nothing cannot flood it.
 */
export const answerLocalStates = (app: FastifyInstance, states: Pick<LocalStates, 'find'>): void => {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.method !== 'GET' || !request.url.startsWith(AGENTS)) return done();
    const { agent } = request.params as { readonly agent?: string };
    if (agent === undefined || Object.hasOwn(request.query as object, 'at')) return done();
    const asked = askedAgent(request);
    const found = E.isLeft(asked) ? undefined : states.find(request.headers.authorization, asked.right);
    if (found === undefined) return done();
    void reply.type('application/json').send(found);
  });
};
