import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Fault, fault } from '../../schemas/errors.js';
import { LOG_LEVELS, type LinesPage, type LinesRequest, MAX_LINES_PAGE } from '../../schemas/log-lines.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseName } from '../../schemas/names.js';
import { OPS } from '../../schemas/operate.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { limitIn, numberIfAny, oneIn, placeIn, type QueryWords, queryOf } from '../requests/query-words.js';

const USUAL = 100;

/** 0 is a place too: behind it is the first line. */
const afterIn = (query: QueryWords): E.Either<Fault, number | undefined> =>
  query.after === '0' ? E.right(0) : numberIfAny(query, 'after');

const sinceIn = (query: QueryWords): E.Either<Fault, string | undefined> =>
  pipe(
    placeIn(query, 'since'),
    E.filterOrElse(
      (place) =>
        place === undefined || (place instanceof Date && parseSequence(query.since ?? '') === undefined),
      () => fault('HTTP_INVALID', 'the query parameter since: an RFC 3339 time, or a duration ago'),
    ),
    E.map((place) => (place instanceof Date ? place.toISOString() : undefined)),
  );

const requestIn = (request: FastifyRequest): E.Either<Fault, LinesRequest> => {
  const { module } = request.params as { readonly module?: string };
  return pipe(
    queryOf(request, ['level', 'since', 'after', 'before', 'limit']),
    E.chain((query) =>
      pipe(
        E.Do,
        E.apS('module', module === undefined ? E.right(undefined) : parseName('module', module)),
        E.apS('level', oneIn(LOG_LEVELS, query, 'level')),
        E.apS('since', sinceIn(query)),
        E.apS('after', afterIn(query)),
        E.apS('before', numberIfAny(query, 'before')),
        E.apS('limit', limitIn(query, USUAL, MAX_LINES_PAGE)),
      ),
    ),
    // JSON leaves out what is undefined, and the broker takes it as not asked for.
    E.map((asked) => asked as LinesRequest),
  );
};

/** Log lines of the broker and its modules, for operators. */
export const serveLines = (app: FastifyInstance, links: PrincipalLinks): void => {
  const lines = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(requestIn(request)),
        TE.chain((body) =>
          asOperator(links, request, 'reader', (nc) => askBroker<LinesPage>(nc, OPS.logs, { ...body })),
        ),
      ),
    );
  app.get('/v1/logs', lines);
  app.get('/v1/modules/:module/logs', lines);
};
