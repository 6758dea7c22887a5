import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { FastifyRequest } from 'fastify';
import { type HistoryQuery, SHOWN_KINDS } from '../../replay/history/query.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { limitIn, nameIn, numberIfAny, oneIn, placeIn, type QueryWords, queryOf } from './query-words.js';

const FILTERS = ['module', 'agent', 'sender', 'kind', 'name', 'conversation'] as const;
const PAGE = 100;
const MOST = 1_000;

const filtersIn = (query: QueryWords): E.Either<Fault, HistoryQuery> =>
  pipe(
    E.Do,
    E.apS('module', nameIn(query, 'module')),
    E.apS('agent', nameIn(query, 'agent')),
    E.apS('sender', nameIn(query, 'sender')),
    E.apS('kind', oneIn(SHOWN_KINDS, query, 'kind')),
    E.apS('name', nameIn(query, 'name')),
    E.apS('conversation', numberIfAny(query, 'conversation')),
  );

/** `last` is in the place of `limit`. */
const countIn = (query: QueryWords): E.Either<Fault, Pick<HistoryQuery, 'limit' | 'last'>> => {
  if (query.last === undefined) return E.map((limit: number) => ({ limit }))(limitIn(query, PAGE, MOST));
  if (query.limit !== undefined)
    return E.left(
      fault('HTTP_INVALID', 'limit counts from the first record and last from the end: give one'),
    );
  return pipe(
    numberIfAny(query, 'last'),
    E.filterOrElse(
      (last) => last === undefined || last <= MOST,
      () => fault('HTTP_INVALID', `the query parameter last is at most ${MOST}`),
    ),
    E.map((last) => ({ last })),
  );
};

/** A page of records, with the filters of `replay history`. */
export const pageQueryOf = (request: FastifyRequest): E.Either<Fault, HistoryQuery> =>
  pipe(
    queryOf(request, [...FILTERS, 'from', 'to', 'limit', 'last']),
    E.chain((query) =>
      pipe(
        E.Do,
        E.apS('filters', filtersIn(query)),
        E.apS('from', placeIn(query, 'from')),
        E.apS('to', placeIn(query, 'to')),
        E.apS('count', countIn(query)),
        E.map(({ filters, from, to, count }) => ({ ...filters, from, to, ...count })),
      ),
    ),
  );

/** The record that a client of server-sent events has seen last, where it goes on. */
const resumedAfter = ({ headers }: FastifyRequest): E.Either<Fault, number | undefined> => {
  const text = headers['last-event-id'];
  if (text === undefined || text === '') return E.right(undefined);
  return pipe(
    numberIfAny({ id: String(text) }, 'id'),
    E.mapLeft(() => fault('HTTP_INVALID', 'the header Last-Event-ID is no sequence of a record')),
  );
};

/** Records as they come: from `Last-Event-ID` on, else from `from` on, else the next ones. */
export const streamQueryOf = (request: FastifyRequest): E.Either<Fault, HistoryQuery> =>
  pipe(
    queryOf(request, [...FILTERS, 'from']),
    E.chain((query) =>
      pipe(
        E.Do,
        E.apS('filters', filtersIn(query)),
        E.apS('from', placeIn(query, 'from')),
        E.apS('after', resumedAfter(request)),
        E.map(({ filters, from, after }) => ({
          ...filters,
          from: after === undefined ? from : after + 1,
          follow: true,
        })),
      ),
    ),
  );
