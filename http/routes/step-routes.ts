import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { condition } from '../../replay/expression/expression.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import { type ModuleInfo, OPS } from '../../schemas/operate.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator, readMasks } from '../requests/operator-request.js';
import { PlacesForReads } from '../requests/places-for-reads.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { limitIn, numberIfAny, queryOf } from '../requests/query-words.js';
import { withSnapshots } from './agent-list.js';
import { type StepPageQuery, stepPage } from './step-page.js';

const PAGE = 100;
const MOST = 1_000;

type StepsAsked = Pick<StepPageQuery, 'agent' | 'from' | 'to' | 'limit' | 'holds'> & {
  readonly module: string;
};

const askedOf = (request: FastifyRequest): E.Either<Fault, StepsAsked> => {
  const { module, agent } = request.params as { readonly module: string; readonly agent?: string };
  return pipe(
    queryOf(request, ['from', 'to', 'limit', 'where']),
    E.chain((query) =>
      pipe(
        E.Do,
        E.apS('module', parseName('module', module)),
        E.apS('agent', agent === undefined ? E.right(undefined) : parseName('agent', agent)),
        E.apS('from', E.map((from?: number) => from ?? 1)(numberIfAny(query, 'from'))),
        E.apS('to', E.map((to?: number) => to ?? Number.MAX_SAFE_INTEGER)(numberIfAny(query, 'to'))),
        E.apS('limit', limitIn(query, PAGE, MOST)),
        E.apS('holds', query.where === undefined ? E.right(undefined) : condition(query.where)),
      ),
    ),
  );
};

const namesAgent =
  (asked: StepsAsked) =>
  ({ manifest }: ModuleInfo): boolean =>
    asked.agent !== undefined || manifest.folds === undefined;

/** How the states of a module became what they are, record by record; `where` finds the record that did something. */
export const serveSteps = (app: FastifyInstance, links: PrincipalLinks): void => {
  const folds = new PlacesForReads('folds of the past', { all: 4, each: 2 });

  const page = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const leaving = new AbortController();
    reply.raw.once('close', () => leaving.abort());
    return answerWith(
      reply,
      pipe(
        TE.fromEither(askedOf(request)),
        TE.chain((asked) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              TE.Do,
              TE.bind('info', () =>
                pipe(
                  askBroker<ModuleInfo>(nc, OPS.moduleInfo, { name: asked.module }),
                  TE.filterOrElse(namesAgent(asked), () =>
                    fault('HTTP_INVALID', `${asked.module} is a read model: name an agent in the path`),
                  ),
                ),
              ),
              TE.bind('masks', () => readMasks(nc)),
              TE.chain(({ info: { manifest, dir }, masks }) =>
                withSnapshots(nc, asked.module, (agents) =>
                  TE.tryCatch(
                    () =>
                      stepPage({
                        ...{ ...asked, nc, agents, manifest, dir },
                        ...{ masks: masks.with(manifest), signal: leaving.signal },
                      }),
                    toFault,
                  ),
                ),
              ),
            ),
          ),
        ),
        folds.within(request.headers.authorization),
      ),
    );
  };

  app.get('/v1/steps/:module', page);
  app.get('/v1/steps/:module/:agent', page);
};
