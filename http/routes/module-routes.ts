import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import { OPS } from '../../schemas/operate.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { type Form, objectIn, queryOf } from '../requests/query-words.js';

/** The broker is told to answer within this time that it goes on, as the command line tells it. */
const WAIT_MS = 120_000;
const MARGIN_MS = 10_000;

const moduleOf = ({ params }: FastifyRequest): E.Either<Fault, string> =>
  parseName('module', (params as { readonly module: string }).module);

/** The state of the broker and its modules, and what loads and stops them. */
export const serveModules = (app: FastifyInstance, links: PrincipalLinks): void => {
  const read =
    (subject: string, of?: (request: FastifyRequest) => E.Either<Fault, string>) =>
    (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      answerWith(
        reply,
        pipe(
          TE.fromEither(
            pipe(
              queryOf(request, []),
              E.chain(() =>
                of === undefined
                  ? E.right({})
                  : pipe(
                      of(request),
                      E.map((name) => ({ name })),
                    ),
              ),
            ),
          ),
          TE.chain((body) => asOperator(links, request, 'reader', (nc) => askBroker(nc, subject, body))),
        ),
      );

  const change =
    (
      subject: string,
      forms: Readonly<Record<string, Form>>,
      of?: (request: FastifyRequest) => E.Either<Fault, string>,
    ) =>
    (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      answerWith(
        reply,
        pipe(
          TE.fromEither(
            pipe(
              E.Do,
              E.apS('name', of === undefined ? E.right(undefined) : of(request)),
              E.apS('body', objectIn(request, forms)),
            ),
          ),
          TE.chain(({ name, body }) =>
            asOperator(links, request, 'admin', (nc) =>
              askBroker(
                nc,
                subject,
                { ...body, ...(name === undefined ? {} : { name }), waitMs: WAIT_MS },
                WAIT_MS + MARGIN_MS,
              ),
            ),
          ),
        ),
      );

  app.get('/v1/status', read(OPS.status));
  app.get('/v1/stats', read(OPS.moduleStats));
  app.get('/v1/modules', read(OPS.moduleList));
  app.get('/v1/modules/:module', read(OPS.moduleInfo, moduleOf));
  app.get('/v1/modules/:module/stats', read(OPS.moduleStats, moduleOf));
  app.post('/v1/modules', change(OPS.moduleLoad, { dir: 'string', grant: 'boolean' }));
  app.post('/v1/modules/:module/unload', change(OPS.moduleUnload, { withDependents: 'boolean' }, moduleOf));
  app.post(
    '/v1/modules/:module/reload',
    change(OPS.moduleReload, { dir: 'string', grant: 'boolean', untried: 'boolean' }, moduleOf),
  );
};
