import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type BurstRequest, BurstRequestSchema } from '../../schemas/burst.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { OPS } from '../../schemas/operate.js';
import { compileOnUse } from '../../schemas/validate.js';
import { sendFault } from '../requests/http-problem.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { objectIn, queryOf } from '../requests/query-words.js';
import { BurstJobs } from './burst-jobs.js';

const check = compileOnUse<BurstRequest>(BurstRequestSchema, 'PAYLOAD_INVALID', 'the body');

const bodyOf = ({ body }: FastifyRequest): E.Either<Fault, BurstRequest> =>
  body instanceof Uint8Array && body.length > 0
    ? pipe(parseJson(body), E.chain(check))
    : E.left(fault('PAYLOAD_INVALID', 'the body says what the burst is like'));

/**
 * `tallystick burst` as a job, for operators with `operate admin`: it takes the processor of this machine. It runs on a
 * separate broker, so that its records and its kills are not those of this one.
 */
export const serveBursts = (app: FastifyInstance, links: PrincipalLinks): void => {
  const jobs = new BurstJobs();
  app.addHook('onClose', () => jobs.close());
  const idOf = ({ params }: FastifyRequest): string => (params as { readonly id: string }).id;
  /** The server lets nobody else ask. */
  const asAdmin = <A>(request: FastifyRequest, work: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> =>
    pipe(
      asOperator(links, request, 'admin', (nc) => askBroker(nc, OPS.burstMay)),
      TE.chain(() => work),
    );

  const start = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const started = await pipe(
      TE.fromEither(bodyOf(request)),
      TE.chain((body) =>
        pipe(
          asAdmin(request, TE.fromEither(jobs.room())),
          // The broker records it, and may say no.
          TE.chain(() =>
            asOperator(links, request, 'admin', (nc) => askBroker(nc, OPS.burstStart, { ...body })),
          ),
          TE.chainEitherK(() => jobs.start(body)),
        ),
      ),
    )();
    if (E.isLeft(started)) return sendFault(reply, started.left);
    void reply.header('Location', `/v1/bursts/${started.right.id}`);
    return answerWith(reply, TE.right(started.right), 202);
  };
  /** What a request for bursts reads, for an admin. */
  const reads =
    (work: (request: FastifyRequest) => TE.TaskEither<Fault, object>) =>
    (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      answerWith(
        reply,
        pipe(
          TE.fromEither(queryOf(request, [])),
          TE.chain(() => asAdmin(request, work(request))),
        ),
      );
  const cancel = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(objectIn(request, {})),
        TE.chain(() => asAdmin(request, () => jobs.cancel(idOf(request)))),
      ),
    );

  app.get(
    '/v1/bursts',
    reads(() => TE.fromIO(() => ({ bursts: jobs.list() }))),
  );
  app.post('/v1/bursts', start);
  app.get(
    '/v1/bursts/:id',
    reads((request) => TE.fromIOEither(() => jobs.of(idOf(request)))),
  );
  app.post('/v1/bursts/:id/cancel', cancel);
};
