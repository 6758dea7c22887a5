import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance } from 'fastify';
import { ask } from '../../link/request-broker.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type BrokerStatus, type ModuleStats, OPS } from '../../schemas/operate.js';
import { brokerMetrics } from '../metrics/broker-metrics.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { sendFault } from '../requests/http-problem.js';
import { asPrincipal } from '../requests/relay.js';

/** A scrape of Prometheus waits for 10 s by default. */
const SCRAPE_MS = 5_000;

/** The server lets no account ask that has no role. With a token, the answer says what the token lacks. */
const asLacking =
  (authorization: string | undefined) =>
  (problem: Fault): Fault =>
    problem.code === 'SERVER_REFUSED' && authorization !== undefined
      ? fault('NOT_ALLOWED', 'metrics are for operators: the token needs the grant `operate reader`')
      : problem;

/** `GET /metrics` for Prometheus. It shows what `status` and `module stats` show, so it takes an operator's token. */
export const serveMetrics = (app: FastifyInstance, links: PrincipalLinks): void => {
  app.get('/metrics', async (request, reply) => {
    const observed = await asPrincipal(links, request.headers.authorization, ({ nc }) =>
      pipe(
        TE.Do,
        TE.apS('status', ask<BrokerStatus>(nc, OPS.status, {}, SCRAPE_MS, PROGRAM_WORDS)),
        TE.apS(
          'stats',
          pipe(
            ask<{ readonly modules: readonly ModuleStats[] }>(
              nc,
              OPS.moduleStats,
              {},
              SCRAPE_MS,
              PROGRAM_WORDS,
            ),
            TE.map(({ modules }) => modules),
          ),
        ),
        TE.mapLeft(asLacking(request.headers.authorization)),
      ),
    )();
    if (E.isLeft(observed)) return sendFault(reply, observed.left);
    const registry = brokerMetrics(observed.right);
    return reply.type(registry.contentType).send(await registry.metrics());
  });
};
