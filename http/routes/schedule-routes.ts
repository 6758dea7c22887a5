import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { maskedSchedule, scheduleLine } from '../../schemas/detail-lines.js';
import { OPS } from '../../schemas/operate.js';
import type { ScheduleDetails, SchedulePage } from '../../schemas/schedule.js';
import { answerWith, JsonText } from '../requests/json-answer.js';
import { askBroker, asOperator, readMasks } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { numberIfAny, objectIn, queryOf } from '../requests/query-words.js';

const idOf = ({ params }: FastifyRequest): string => (params as { readonly id: string }).id;

/** Commands that are sent later: look at them, and end them. */
export const serveSchedules = (app: FastifyInstance, links: PrincipalLinks): void => {
  const list = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['from']),
            E.chain((query) => numberIfAny(query, 'from')),
          ),
        ),
        TE.chain((from = 1) =>
          asOperator(links, request, 'reader', (nc) =>
            askBroker<SchedulePage>(nc, OPS.scheduleList, { from }),
          ),
        ),
      ),
    );

  const show = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(queryOf(request, [])),
        TE.chain(() =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              TE.Do,
              TE.bind('whole', () => askBroker<ScheduleDetails>(nc, OPS.scheduleShow, { id: idOf(request) })),
              TE.bind('masks', () => readMasks(nc)),
              TE.map(({ whole, masks }) => new JsonText(scheduleLine(maskedSchedule(masks, whole)))),
            ),
          ),
        ),
      ),
    );

  const cancel = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(objectIn(request, {})),
        TE.chain(() =>
          asOperator(links, request, 'keeper', (nc) =>
            askBroker(nc, OPS.scheduleCancel, { id: idOf(request) }),
          ),
        ),
      ),
    );

  app.get('/v1/schedules', list);
  app.get('/v1/schedules/:id', show);
  app.post('/v1/schedules/:id/cancel', cancel);
};
