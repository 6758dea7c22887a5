import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { recordsAt } from '../../journal/read/records-at.js';
import { type DeadDetails, type DeadPage, MAX_REDRIVE } from '../../schemas/dead.js';
import { deadLine } from '../../schemas/detail-lines.js';
import { fault } from '../../schemas/errors.js';
import { OPS } from '../../schemas/operate.js';
import { Payload } from '../../schemas/payload.js';
import { answerWith, JsonText } from '../requests/json-answer.js';
import { askBroker, asOperator, readMasks } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { nameIn, numberIfAny, objectIn, queryOf } from '../requests/query-words.js';
import { sequenceIn } from '../requests/request-words.js';

const REDRIVE_MS = 60_000;

/** Commands that a module could not handle: look at them, and send them again. */
export const serveDead = (app: FastifyInstance, links: PrincipalLinks): void => {
  const list = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['module', 'from']),
            E.chain((query) =>
              pipe(E.Do, E.apS('module', nameIn(query, 'module')), E.apS('from', numberIfAny(query, 'from'))),
            ),
          ),
        ),
        TE.chain(({ module, from = 1 }) =>
          asOperator(links, request, 'reader', (nc) =>
            askBroker<DeadPage>(nc, OPS.deadList, { from, ...(module === undefined ? {} : { module }) }),
          ),
        ),
      ),
    );

  const show = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, []),
            E.chain(() => sequenceIn((request.params as { readonly seq: string }).seq)),
          ),
        ),
        TE.chain((seq) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              TE.Do,
              TE.bind('answer', () => askBroker<{ readonly letter: DeadDetails }>(nc, OPS.deadShow, { seq })),
              // The letter has a part of a large payload. The log has all of it.
              TE.bind('command', () => recordsAt({ nc, prefix: '$JS.API' }, [seq])),
              TE.bind('masks', () => readMasks(nc)),
              TE.map(({ answer: { letter }, command: [command], masks }) => {
                const bytes =
                  command === undefined ? new Uint8Array(0) : masks.bytes(command.subject, command.data);
                return new JsonText(deadLine(letter, new Payload(bytes)));
              }),
            ),
          ),
        ),
      ),
    );

  const redrive = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            objectIn(request, { seqs: 'numbers', again: 'boolean' }),
            E.filterOrElse(
              ({ seqs }) => Array.isArray(seqs) && seqs.length >= 1 && seqs.length <= MAX_REDRIVE,
              () => fault('PAYLOAD_INVALID', `seqs are 1 to ${MAX_REDRIVE} sequences of commands`, '/seqs'),
            ),
          ),
        ),
        TE.chain((body) =>
          asOperator(links, request, 'keeper', (nc) => askBroker(nc, OPS.deadRedrive, body, REDRIVE_MS)),
        ),
      ),
    );

  app.get('/v1/dead', list);
  app.get('/v1/dead/:seq', show);
  app.post('/v1/dead/redrive', redrive);
};
