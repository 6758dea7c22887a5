import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NatsConnection } from 'nats';
import { logEnds } from '../../journal/read/reader-api.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { certify, statementFor } from '../../replay/verify/certificate.js';
import { CERTIFICATE_KEY_FILE, openSigningKey, type SigningKey } from '../../replay/verify/signing-key.js';
import { verifyLog } from '../../replay/verify/verify-log.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parsePlace } from '../../schemas/log-place.js';
import { sendFault } from '../requests/http-problem.js';
import { answerWith } from '../requests/json-answer.js';
import { asOperator } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { objectIn } from '../requests/query-words.js';
import { VerifyJobs } from './verify-jobs.js';

const NOT_STATES =
  'snapshots were not compared: that runs the code of modules; `tallystick replay verify` compares them';

const placeIn = (text: unknown, name: string): E.Either<Fault, number | Date | undefined> =>
  typeof text !== 'string'
    ? E.right(undefined)
    : pipe(
        parsePlace(text),
        E.mapLeft(({ message }) => fault('PAYLOAD_INVALID', message, `/${name}`)),
      );

/** The key that `replay verify --certificate` has: this process runs where the data directory is. */
const certificateKey = (nc: NatsConnection): TE.TaskEither<Fault, SigningKey> =>
  pipe(
    brokerDataDir(nc),
    TE.chainEitherK((dataDir) => openSigningKey(join(dataDir, CERTIFICATE_KEY_FILE), true)),
    TE.filterOrElse(
      (key): key is SigningKey => key !== undefined,
      () => fault('INTERNAL', 'the signing key was not made'),
    ),
  );

/** `replay verify` as a job: start it, then ask how far it is. */
export const serveVerifications = (app: FastifyInstance, links: PrincipalLinks): void => {
  const jobs = new VerifyJobs();
  const ownerOf = ({ headers }: FastifyRequest): string => headers.authorization ?? '';

  const start = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const started = await pipe(
      TE.fromEither(
        pipe(
          objectIn(request, { from: 'string', to: 'string', certificate: 'boolean' }),
          E.chain((body) =>
            pipe(
              E.Do,
              E.apS('from', placeIn(body.from, 'from')),
              E.apS('to', placeIn(body.to, 'to')),
              E.let('isSigned', () => body.certificate === true),
            ),
          ),
        ),
      ),
      // One who may not read the log is told so now.
      TE.chainFirst(() =>
        asOperator(links, request, 'reader', (nc) =>
          TE.mapLeft(({ fault: why }: { readonly fault: Fault }) => why)(() =>
            logEnds({ nc, prefix: '$JS.API' }),
          ),
        ),
      ),
      TE.chainEitherK(({ from, to, isSigned }) =>
        jobs.start(ownerOf(request), (onProgress) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              TE.Do,
              // Without a key, the long work is useless.
              TE.bind('key', () => (isSigned ? certificateKey(nc) : TE.right(undefined))),
              TE.bind('found', () => verifyLog({ nc, from, to, onProgress })),
              TE.map(({ key, found: { verification, segments } }) => {
                const noted = { ...verification, notes: [...verification.notes, NOT_STATES] };
                const certificate = key === undefined ? null : certify(statementFor(noted, segments), key);
                return { verification: noted, certificate };
              }),
            ),
          ),
        ),
      ),
    )();
    if (E.isLeft(started)) return sendFault(reply, started.left);
    void reply.header('Location', `/v1/verifications/${started.right.id}`);
    return answerWith(reply, TE.right(started.right), 202);
  };

  const show = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      TE.fromEither(jobs.of(ownerOf(request), (request.params as { readonly id: string }).id)),
    );

  app.post('/v1/verifications', start);
  app.get('/v1/verifications/:id', show);
};
