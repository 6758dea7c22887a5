import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance } from 'fastify';
import type { NatsConnection } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { type BrokerStatus, type ModuleStats, OPS } from '../../schemas/operate.js';
import { type ProcessUse, processUse } from '../../system/processes/process-use.js';
import { BrokerMetrics } from '../metrics/broker-metrics.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { sendFault } from '../requests/http-problem.js';
import { askBroker, asOperator } from '../requests/operator-request.js';

/** One reply has all, unless there are too many modules. */
const statsIn = (
  nc: NatsConnection,
  { stats }: BrokerStatus,
): TE.TaskEither<Fault, readonly ModuleStats[]> =>
  stats !== undefined
    ? TE.right(stats)
    : TE.map(({ modules }: { readonly modules: readonly ModuleStats[] }) => modules)(
        askBroker(nc, OPS.moduleStats),
      );

/** Broker, server, and this process, which serves HTTP; one that has just ended is left out. */
const usesOf = async ({
  pid,
  server,
}: Pick<BrokerStatus, 'pid' | 'server'>): Promise<Readonly<Record<string, ProcessUse>>> => {
  const found: Record<string, ProcessUse> = {};
  for (const [name, each] of [
    ['broker', pid],
    ['server', server.pid],
    ['http', process.pid],
  ] as const) {
    const use = each === null ? undefined : await processUse(each);
    if (use !== undefined) found[name] = use;
  }
  return found;
};

/** `GET /metrics` for Prometheus. It shows what `status` and `module stats` show, so it takes an operator's token. */
export const serveMetrics = (app: FastifyInstance, links: PrincipalLinks): void => {
  const metrics = new BrokerMetrics();
  app.get('/metrics', async (request, reply) => {
    const observed = await asOperator(links, request, 'reader', (nc) =>
      pipe(
        TE.Do,
        TE.apS('status', askBroker<BrokerStatus>(nc, OPS.status, { counters: true })),
        TE.bind('stats', ({ status }) => statsIn(nc, status)),
        TE.bind('processes', ({ status }) => TE.fromTask(() => usesOf(status))),
      ),
    )();
    if (E.isLeft(observed)) return sendFault(reply, observed.left);
    return reply.type(metrics.contentType).send(metrics.text(observed.right));
  });
};
