import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { LocalAnswer } from './kept-answers.js';
import type { LocalStates } from './local-states.js';
import { foreignPage, originsOf } from './browser-guard.js';

/** The usual form of such a request. Another form of the same request goes the usual way. */
const PLAIN = /^\/v1\/agents\/([A-Za-z0-9_-]{1,64})\/([A-Za-z0-9_-]{1,64})(?:\?atLeast=([1-9][0-9]{0,14}))?$/;

/**
 * Answers requests for states that this process may read itself, in front of the routes: a route with its hooks costs
 * more than to read a state. What it does not answer goes to the routes. It needs no judgement of guests: what asks the
 * broker nothing cannot flood it.
 */
export const answerLocalStates =
  (states: Pick<LocalStates, 'find'>, routes: RequestListener): RequestListener =>
  (request: IncomingMessage, response: ServerResponse & { req: IncomingMessage }): void => {
    const answer = request.method === 'GET' ? foundFor(states, request) : undefined;
    if (answer === undefined) return routes(request, response);
    // As characters of one byte each, Node writes headers and text as they are.
    response.writeHead(200, answer.headers as string[]);
    response.end(answer.text, 'latin1');
  };

const foundFor = (states: Pick<LocalStates, 'find'>, request: IncomingMessage): LocalAnswer | undefined => {
  const [, module, agent, atLeast] = PLAIN.exec(request.url ?? '') ?? [];
  if (module === undefined || agent === undefined) return undefined;
  if (foreignPage(originsOf(request)) !== undefined) return undefined;
  return states.find(request.headers.authorization, {
    module,
    agent,
    atLeast: atLeast === undefined ? 0 : Number(atLeast),
  });
};
