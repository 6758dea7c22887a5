import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requestPromise } from '../../link/request-promise.js';
import { requestSignal } from '../../link/request-signal.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { parseName } from '../../schemas/names.js';
import { PROMISE_VERBS, type PromiseVerb } from '../../schemas/promise.js';
import type { SignalAddress } from '../../schemas/signal.js';
import { answerWith } from '../requests/json-answer.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { asPrincipal } from '../requests/relay.js';

const REPLY_MS = 10_000;

const textOf = ({ body }: FastifyRequest): string =>
  body instanceof Uint8Array ? Buffer.from(body).toString() : '';

const addressIn = ({ params }: FastifyRequest): E.Either<Fault, SignalAddress> => {
  const { module, agent, name } = params as SignalAddress;
  return pipe(
    E.Do,
    E.apS('module', parseName('module', module)),
    E.apS('agent', parseName('agent', agent)),
    E.apS('name', parseName('the name of the signal', name)),
  );
};

/** The reason of a rejection is text, and a body is JSON: so it is a string. */
const reasonIn = (request: FastifyRequest): E.Either<Fault, string> => {
  const text = textOf(request);
  if (text === '') return E.right('');
  return pipe(
    parseJson(Buffer.from(text)),
    E.filterOrElse(
      (value): value is string => typeof value === 'string',
      () => fault('PAYLOAD_INVALID', 'the body is a JSON string: the reason of the rejection'),
    ),
  );
};

const valueIn: Readonly<Record<PromiseVerb, (request: FastifyRequest) => E.Either<Fault, string>>> = {
  resolve: (request) => E.right(textOf(request)),
  reject: reasonIn,
};

/** What handlers wait for: signals to agents, and promises. */
export const serveWaits = (app: FastifyInstance, links: PrincipalLinks): void => {
  const signal = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerWith(
      reply,
      pipe(
        TE.fromEither(addressIn(request)),
        TE.chain((address) =>
          asPrincipal(links, request.headers.authorization, ({ nc }) =>
            requestSignal(nc, address, textOf(request), REPLY_MS, PROGRAM_WORDS),
          ),
        ),
      ),
      202,
    );

  const end =
    (verb: PromiseVerb) =>
    (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      answerWith(
        reply,
        pipe(
          TE.fromEither(valueIn[verb](request)),
          TE.chain((payload) =>
            asPrincipal(links, request.headers.authorization, ({ nc }) =>
              requestPromise(
                nc,
                { verb, id: (request.params as { readonly id: string }).id },
                payload,
                REPLY_MS,
                PROGRAM_WORDS,
              ),
            ),
          ),
        ),
      );

  app.post('/v1/signals/:module/:agent/:name', signal);
  for (const verb of PROMISE_VERBS) app.post(`/v1/promises/:id/${verb}`, end(verb));
};
