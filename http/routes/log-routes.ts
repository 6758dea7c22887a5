import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LogApi } from '../../journal/read/reader-api.js';
import { logTimes } from '../../replay/history/log-times.js';
import { moduleCounts } from '../../replay/history/module-counts.js';
import { fault } from '../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator } from '../requests/operator-request.js';
import { PlacesForReads } from '../requests/places-for-reads.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { limitIn, numberIfAny, queryOf } from '../requests/query-words.js';

const PLACES = 120;
const MOST = 500;

/** The log as a whole: how it grew, and how far the modules had come at one of its records. */
export const serveLog = (app: FastifyInstance, links: PrincipalLinks): void => {
  const reads = new PlacesForReads('looks at the log', { all: 4, each: 2 });

  const times = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['limit']),
            E.chain((query) => limitIn(query, PLACES, MOST)),
          ),
        ),
        TE.chain((count) =>
          asOperator(links, request, 'reader', (nc) => logTimes({ nc, prefix: '$JS.API' }, count)),
        ),
        reads.within(request.headers.authorization),
      ),
    );

  const counts = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['at']),
            E.chain((query) => numberIfAny(query, 'at')),
            E.filterOrElse(
              (at): at is number => at !== undefined,
              () => fault('HTTP_INVALID', 'the query parameter at is missing: give the sequence of a record'),
            ),
          ),
        ),
        TE.chain((at) =>
          asOperator(links, request, 'reader', (nc) => {
            const api: LogApi = { nc, prefix: '$JS.API' };
            return pipe(
              askBroker<{ readonly modules: readonly ModuleStatus[] }>(nc, OPS.moduleList),
              TE.chain(({ modules }) =>
                moduleCounts(
                  api,
                  modules.map(({ name }) => name),
                  at,
                ),
              ),
              TE.map((modules) => ({ at, modules })),
            );
          }),
        ),
        reads.within(request.headers.authorization),
      ),
    );

  app.get('/v1/log/times', times);
  app.get('/v1/log/counts', counts);
};
