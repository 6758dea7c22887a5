import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NatsConnection } from 'nats';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { whenAtLeast } from '../../store/lmdb/reached.js';
import { type Conversations, openConversations } from '../../store/log-index/index.js';
import { answerWith } from '../requests/json-answer.js';
import { asOperator } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { limitIn, nameIn, numberIfAny, queryOf } from '../requests/query-words.js';
import { sequenceIn } from '../requests/request-words.js';

const PAGE = 100;
const MOST = 1_000;

/** Reads the index of the broker, whose place only an operator is told, once it is at `atLeast`. */
const withIndex = <A>(
  nc: NatsConnection,
  atLeast: number | undefined,
  read: (conversations: Conversations) => E.Either<Fault, A>,
): TE.TaskEither<Fault, A> =>
  pipe(
    brokerDataDir(nc),
    TE.chain((dataDir) => async () => {
      const conversations = openConversations(dataDir);
      try {
        return await pipe(
          whenAtLeast(conversations, atLeast),
          TE.chainEitherK(() => read(conversations)),
        )();
      } catch (thrown) {
        return E.left(toFault(thrown));
      } finally {
        await conversations.close();
      }
    }),
  );

/** Conversations that have commands without a result. */
export const serveConversations = (app: FastifyInstance, links: PrincipalLinks): void => {
  const list = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['module', 'agent', 'after', 'limit', 'atLeast']),
            E.chain((query) =>
              pipe(
                E.Do,
                E.apS('module', nameIn(query, 'module')),
                E.apS('agent', nameIn(query, 'agent')),
                E.apS('after', numberIfAny(query, 'after')),
                E.apS('limit', limitIn(query, PAGE, MOST)),
                E.apS('atLeast', numberIfAny(query, 'atLeast')),
              ),
            ),
          ),
        ),
        TE.chain(({ module, agent, after, limit, atLeast }) =>
          asOperator(links, request, 'reader', (nc) =>
            withIndex(nc, atLeast, (conversations) =>
              E.right({
                ...conversations.list({
                  limit,
                  ...(after === undefined ? {} : { after }),
                  ...(module === undefined ? {} : { module }),
                  ...(agent === undefined ? {} : { agent }),
                }),
                count: conversations.count(),
              }),
            ),
          ),
        ),
      ),
    );

  const one = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['atLeast']),
            E.chain((query) =>
              pipe(
                E.Do,
                E.apS('seq', sequenceIn((request.params as { readonly id: string }).id)),
                E.apS('atLeast', numberIfAny(query, 'atLeast')),
              ),
            ),
          ),
        ),
        TE.chain(({ seq, atLeast }) =>
          asOperator(links, request, 'reader', (nc) =>
            withIndex(nc, atLeast, (conversations) => {
              const found = conversations.get(seq);
              const text = `conversation ${seq} is not open; its records are at /v1/records?conversation=${seq}`;
              return found === undefined ? E.left(fault('CONVERSATION_NOT_OPEN', text)) : E.right(found);
            }),
          ),
        ),
      ),
    );

  app.get('/v1/conversations', list);
  app.get('/v1/conversations/:id', one);
};
