import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import type { Sleeping } from '../../schemas/sleeping.js';
import { splitSubject } from '../../schemas/subjects.js';
import { type NotedWait, OpenWaitsRead } from '../../store/log-index/open-waits-read.js';
import { answerWith } from '../requests/json-answer.js';
import { asOperator } from '../requests/operator-request.js';
import { PlacesForReads } from '../requests/places-for-reads.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { limitIn, nameIn, queryOf } from '../requests/query-words.js';

const PAGE = 100;
const MOST = 1_000;

interface NotedWaits {
  readonly waits: readonly NotedWait[];
  readonly count: number;
}

const notedWaits = (
  nc: NatsConnection,
  limit: number,
  module: string | undefined,
): TE.TaskEither<Fault, NotedWaits> =>
  pipe(
    brokerDataDir(nc),
    TE.chain((dataDir) => async () => {
      const files = new OpenWaitsRead(dataDir);
      try {
        return E.right(files.list(limit, module));
      } catch (thrown) {
        return E.left(toFault(thrown));
      } finally {
        await files.close();
      }
    }),
  );

const sleepingOf = (
  { command, call, module, until, signal, isPromise }: NotedWait,
  sent: StoredMessage | undefined,
  began: StoredMessage | undefined,
): Sleeping => {
  const subject = splitSubject(sent?.subject ?? '');
  const [action, agent, sender] =
    subject?.kind === 'cmd' ? [subject.name, subject.agent ?? null, subject.sender] : ['', null, ''];
  return {
    ...{ command, call, module, action, agent, sender },
    conversation: (sent === undefined ? undefined : conversationOf(sent)) ?? command,
    waitsFor: signal !== undefined ? 'signal' : isPromise ? 'promise' : 'sleep',
    ...{ signal: signal ?? null, since: began?.time ?? '', until },
  };
};

/** Handlers that wait, and what they wait for: the first that are due. */
export const serveSleeping = (app: FastifyInstance, links: PrincipalLinks): void => {
  const reads = new PlacesForReads('lists of waits', { all: 8, each: 4 });

  const list = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['module', 'limit']),
            E.chain((query) =>
              pipe(
                E.Do,
                E.apS('module', nameIn(query, 'module')),
                E.apS('limit', limitIn(query, PAGE, MOST)),
              ),
            ),
          ),
        ),
        TE.chain(({ module, limit }) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              notedWaits(nc, limit, module),
              TE.chain(({ waits, count }) =>
                pipe(
                  recordsAt(
                    { nc, prefix: '$JS.API' },
                    waits.flatMap(({ command, seq }) => [command, seq]),
                  ),
                  TE.map((records) => ({
                    waits: waits.map((wait, i) => sleepingOf(wait, records[2 * i], records[2 * i + 1])),
                    count,
                  })),
                ),
              ),
            ),
          ),
        ),
        reads.within(request.headers.authorization),
      ),
    );

  app.get('/v1/waits', list);
};
