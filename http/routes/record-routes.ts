import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logEnds } from '../../journal/read/reader-api.js';
import { readTrace } from '../../replay/trace/read-trace.js';
import { traceJson } from '../../replay/trace/trace-json.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { sendFault } from '../requests/http-problem.js';
import { answerWith, JsonText } from '../requests/json-answer.js';
import { asOperator, readMasks } from '../requests/operator-request.js';
import { PlacesForReads } from '../requests/places-for-reads.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { flagIn, numberIfAny, queryOf } from '../requests/query-words.js';
import { pageQueryOf, streamQueryOf } from '../requests/record-query.js';
import { sequenceIn } from '../requests/request-words.js';
import { recordPage } from './record-page.js';
import { streamRecords } from './record-stream.js';

const thrown = <A>(work: () => Promise<A>): TE.TaskEither<Fault, A> =>
  TE.tryCatch(work, (why) => toFault(why));

const sequenceOf = ({ params }: FastifyRequest): E.Either<Fault, number> =>
  sequenceIn((params as { readonly seq: string }).seq);

/** Records of the log, for operators: pages, one, the trace of its conversation, and all as they come. */
export const serveRecords = (app: FastifyInstance, links: PrincipalLinks): void => {
  const reads = new PlacesForReads('reads of the log', { all: 16, each: 8 });
  const streams = new PlacesForReads('streams of records', { all: 128, each: 16 });
  const open = new Set<AbortController>();
  app.addHook('preClose', async () => {
    for (const each of open) each.abort();
  });

  const page = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(pageQueryOf(request)),
        TE.chain((query) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              readMasks(nc),
              TE.chain((masks) => thrown(() => recordPage(nc, masks, query))),
            ),
          ),
        ),
        reads.within(request.headers.authorization),
      ),
    );

  const one = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            sequenceOf(request),
            E.chainFirst(() => queryOf(request, [])),
          ),
        ),
        TE.chain((seq) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              readMasks(nc),
              TE.chain((masks) => thrown(() => recordPage(nc, masks, { from: seq, to: seq }))),
              TE.filterOrElse(
                ({ text }) => !text.startsWith('{"records":[]'),
                () => fault('CONVERSATION_UNKNOWN', `the log has no record ${seq}`),
              ),
              TE.map(
                ({ text }) => new JsonText(text.slice('{"records":['.length, text.lastIndexOf('],"next":'))),
              ),
            ),
          ),
        ),
      ),
    );

  const trace = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(
          pipe(
            queryOf(request, ['all', 'depth', 'limit']),
            E.chain((query) =>
              pipe(
                E.Do,
                E.apS('seq', sequenceOf(request)),
                E.apS('all', flagIn(query, 'all')),
                E.apS('depth', numberIfAny(query, 'depth')),
                E.apS('limit', numberIfAny(query, 'limit')),
              ),
            ),
          ),
        ),
        TE.chain(({ seq, all, depth, limit }) =>
          asOperator(links, request, 'reader', (nc) =>
            pipe(
              readMasks(nc),
              TE.chain((masks) =>
                thrown(() => readTrace(nc, { seq, all, shown: (message) => masks.message(message) })),
              ),
              TE.map(
                (found) =>
                  new JsonText(
                    traceJson(found, {
                      ...(depth === undefined ? {} : { depth }),
                      ...(limit === undefined ? {} : { limit }),
                    }),
                  ),
              ),
            ),
          ),
        ),
        reads.within(request.headers.authorization),
      ),
    );

  const stream = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = streamQueryOf(request);
    if (E.isLeft(query)) return sendFault(reply, query.left);
    const place = streams.take(request.headers.authorization);
    if (E.isLeft(place)) return sendFault(reply, place.left);
    const ending = new AbortController();
    open.add(ending);
    reply.raw.once('close', () => ending.abort());
    const streamed = await asOperator(links, request, 'reader', (nc) =>
      pipe(
        TE.Do,
        TE.apS('masks', readMasks(nc)),
        TE.apS(
          'ends',
          TE.mapLeft(({ fault: why }: { readonly fault: Fault }) => why)(() =>
            logEnds({ nc, prefix: '$JS.API' }),
          ),
        ),
        TE.chain(({ masks, ends }) =>
          thrown(async () => {
            reply.hijack();
            void nc.closed().then(() => ending.abort());
            const from = query.right.from ?? ends.lastSeq + 1;
            await streamRecords(nc, { ...query.right, from }, masks, reply.raw, ending.signal);
          }),
        ),
      ),
    )();
    open.delete(ending);
    place.right();
    return E.isLeft(streamed) && !reply.sent ? sendFault(reply, streamed.left) : reply;
  };

  app.get('/v1/records', page);
  app.get('/v1/records/stream', stream);
  app.get('/v1/records/:seq', one);
  app.get('/v1/records/:seq/trace', trace);
};
