import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { listWaits } from '../../replay/list-waits.js';
import { answerWith } from '../requests/json-answer.js';
import { asOperator } from '../requests/operator-request.js';
import { PlacesForReads } from '../requests/places-for-reads.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { limitIn, nameIn, queryOf, waitAfterIn } from '../requests/query-words.js';

const PAGE = 100;
const MOST = 1_000;

/** Handlers that wait, and what they wait for: those that are due first. */
export const serveSleeping = (app: FastifyInstance, links: PrincipalLinks): void => {
  const reads = new PlacesForReads('lists of waits', { all: 8, each: 4 });

  const list = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['module', 'after', 'limit']),
            E.chain((query) =>
              pipe(
                E.Do,
                E.apS('module', nameIn(query, 'module')),
                E.apS('after', waitAfterIn(query, 'after')),
                E.apS('limit', limitIn(query, PAGE, MOST)),
              ),
            ),
          ),
        ),
        TE.chain((asked) => asOperator(links, request, 'reader', (nc) => listWaits(nc, asked))),
        reads.within(request.headers.authorization),
      ),
    );

  app.get('/v1/waits', list);
};
