import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { createServer, type RequestListener, type Server } from 'node:http';
import { MAX_PAYLOAD_BYTES } from '../schemas/log.js';
import { fault } from '../schemas/errors.js';
import { refuseBroken } from './requests/broken-request.js';
import { foreignPage, originsOf } from './requests/browser-guard.js';
import { answerLocalStates } from './requests/answer-local-states.js';
import { judgeGuests } from './requests/judge-guests.js';
import { judgeTokens } from './requests/judge-tokens.js';
import type { LocalStates } from './requests/local-states.js';
import type { PrincipalLinks } from './requests/principal-links.js';
import { refusedByHttp, sendFault } from './requests/http-problem.js';
import { serveAgents } from './routes/agent-routes.js';
import { serveBursts } from './routes/burst-routes.js';
import { serveCommands } from './routes/command-routes.js';
import { serveConversations } from './routes/conversation-routes.js';
import { serveDead } from './routes/dead-routes.js';
import { serveLines } from './routes/line-routes.js';
import { serveLog } from './routes/log-routes.js';
import { serveModules } from './routes/module-routes.js';
import { servePages } from './routes/page-routes.js';
import { serveRecords } from './routes/record-routes.js';
import { serveSchedules } from './routes/schedule-routes.js';
import { serveVerifications } from './routes/verification-routes.js';
import { serveSleeping } from './routes/sleeping-routes.js';
import { serveSteps } from './routes/step-routes.js';
import { serveWaits } from './routes/wait-routes.js';
import { serveHealth } from './routes/health-routes.js';
import { serveAsyncApi } from './routes/asyncapi-route.js';
import { serveOpenApi } from './routes/openapi-route.js';
import { serveMetrics } from './routes/metrics-route.js';

/** A client has so long for its headers, and for its whole request: no connection is held for nothing. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;
const LOOK_MS = 1_000;
const MOST_CONNECTIONS = 1_024;
const MOST_HEADER_BYTES = 16_384;
/** 64 characters for each of three names, and a prefix. */
const MOST_PATH_PART = 256;

const LIMITS = {
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: HEADERS_MS,
  maxHeaderSize: MOST_HEADER_BYTES,
  connectionsCheckingInterval: LOOK_MS,
  // Node would answer without a body. The guard against other sites asks for it.
  requireHostHeader: false,
} as const;

export interface AppOptions {
  /** Is told of each route. */
  readonly onRoute?: (route: RouteOptions) => void;
  /** Without it, the broker is asked for each state. */
  readonly states?: LocalStates;
}

/**
 * The HTTP API. Each request goes to the broker, as the principal that its token names, except for the states that this
 * process may read itself.
 */
export const buildApp = (links: PrincipalLinks, { onRoute, states }: AppOptions = {}): FastifyInstance => {
  let isClosing = false;
  const serving = (routes: RequestListener): RequestListener => {
    if (states === undefined) return routes;
    const fast = answerLocalStates(states, routes);
    // The routes tell a client whose connection is open that it must close.
    return (request, response) => (isClosing ? routes : fast)(request, response as never);
  };
  const app: FastifyInstance = Fastify({
    bodyLimit: MAX_PAYLOAD_BYTES,
    routerOptions: { maxParamLength: MOST_PATH_PART },
    serverFactory: (routes) => createServer(LIMITS, serving(routes as RequestListener)),
    clientErrorHandler: refuseBroken,
    // A path that cannot be decoded has no route whose handler could answer.
    frameworkErrors: (error, _request, reply) => {
      void sendFault(reply as never, refusedByHttp(error.statusCode ?? 400, error.message));
    },
  }) as never;
  const server = app.server as Server;
  server.maxConnections = MOST_CONNECTIONS;
  // Node would answer without a body what a client expects and we do not know.
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response));
  // The bytes go to the broker as they are: it checks them, and says at which place they are wrong.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/json/i, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook('onRequest', (request, reply, done) => {
    const problem = foreignPage(originsOf(request.raw));
    if (problem === undefined) done();
    else void sendFault(reply, problem);
  });
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  judgeGuests(app);
  judgeTokens(app, links);
  app.setNotFoundHandler((request, reply) =>
    sendFault(
      reply,
      fault('HTTP_UNKNOWN', `${request.method} ${request.url.slice(0, MOST_PATH_PART)} is no route`),
    ),
  );
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, _request, reply) =>
    sendFault(reply, refusedByHttp(error.statusCode ?? 500, error.message)),
  );
  if (onRoute !== undefined) app.addHook('onRoute', onRoute);
  serveCommands(app, links);
  serveAgents(app, links, states);
  serveModules(app, links);
  serveLines(app, links);
  serveRecords(app, links);
  serveLog(app, links);
  serveSteps(app, links);
  serveConversations(app, links);
  serveDead(app, links);
  serveSchedules(app, links);
  serveWaits(app, links);
  serveSleeping(app, links);
  serveVerifications(app, links);
  serveBursts(app, links);
  serveHealth(app, links);
  serveMetrics(app, links);
  serveOpenApi(app);
  serveAsyncApi(app, links);
  servePages(app);
  return app;
};
