import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance } from 'fastify';
import { type BrokerStatus, type ModuleStats, OPS } from '../../schemas/operate.js';
import { BrokerMetrics } from '../metrics/broker-metrics.js';
import { processUse } from '../metrics/process-use.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { sendFault } from '../requests/http-problem.js';
import { askBroker, asOperator } from '../requests/operator-request.js';

/** `GET /metrics` for Prometheus. It shows what `status` and `module stats` show, so it takes an operator's token. */
export const serveMetrics = (app: FastifyInstance, links: PrincipalLinks): void => {
  const metrics = new BrokerMetrics();
  app.get('/metrics', async (request, reply) => {
    const observed = await asOperator(links, request, 'reader', (nc) =>
      pipe(
        TE.Do,
        TE.apS('status', askBroker<BrokerStatus>(nc, OPS.status, { counters: true })),
        TE.apS(
          'stats',
          pipe(
            askBroker<{ readonly modules: readonly ModuleStats[] }>(nc, OPS.moduleStats),
            TE.map(({ modules }) => modules),
          ),
        ),
        TE.bind('processes', ({ status }) => TE.fromTask(() => processUse(status))),
      ),
    )();
    if (E.isLeft(observed)) return sendFault(reply, observed.left);
    return reply.type(metrics.contentType).send(await metrics.text(observed.right));
  });
};
