import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Msg } from 'nats';
import { headerOf } from '../../link/message-headers.js';
import { parseServedAck } from '../../link/pub-ack.js';
import { addressOf } from '../../modules/client/prepared.js';
import { cancelRequestSubject } from '../../schemas/cancel.js';
import { restartRequestSubject } from '../../schemas/restart.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { askedResultSubject } from '../../schemas/result-request.js';
import type { Refusal } from '../../schemas/result.js';
import { type Address, callSubject, commandSubject } from '../../schemas/subjects.js';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { sendFault, sendRefusal } from '../requests/http-problem.js';
import { relay } from '../requests/relay.js';
import { commandHeaders, sequenceIn, waitOf } from '../requests/request-words.js';

interface AddressParts {
  readonly module: string;
  readonly action: string;
  readonly agent?: string;
}

const EMPTY = new Uint8Array();
/** The broker stores a command within this time, or says that it cannot. */
const STORE_MS = 30_000;

const bodyOf = ({ body }: FastifyRequest): Uint8Array => (body instanceof Uint8Array ? body : EMPTY);

const addressIn = ({ params }: FastifyRequest): E.Either<Fault, Address> => {
  const { module, action, agent } = params as AddressParts;
  return addressOf({ module, name: action, agent });
};

/** Where command and result are in the log. */
const placesOf = (reply: FastifyReply, said: Msg): void => {
  for (const name of [HEADER.cause, HEADER.result]) {
    const seq = headerOf(said, name);
    if (seq !== undefined) void reply.header(name, seq);
  }
};

/** A result, in the bytes that the broker replied with; an error as a problem. */
const sendResult = (reply: FastifyReply, said: Msg): FastifyReply => {
  placesOf(reply, said);
  if (headerOf(said, HEADER.serviceErrorCode) === undefined)
    return reply.code(200).type('application/json').send(said.data);
  return sendRefusal(reply, said.json<Refusal>());
};

const storedOf = (said: Msg): E.Either<Refusal | Fault, number> =>
  headerOf(said, HEADER.serviceErrorCode) === undefined
    ? pipe(
        parseServedAck(said),
        E.map(({ seq }) => seq),
      )
    : E.left(said.json<Refusal>());

const isRefusal = (why: Refusal | Fault): why is Refusal => 'status' in why;

/** Calls, commands without waiting, and results that are asked again. */
export const serveCommands = (app: FastifyInstance, links: PrincipalLinks): void => {
  // Calls and commands are most of what is asked: their checks come one after the other, without a chain of tasks.
  const call = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const address = addressIn(request);
    if (E.isLeft(address)) return sendFault(reply, address.left);
    const headers = commandHeaders(request);
    if (E.isLeft(headers)) return sendFault(reply, headers.left);
    const timeoutMs = waitOf(request);
    if (E.isLeft(timeoutMs)) return sendFault(reply, timeoutMs.left);
    const said = await relay(links, request.headers.authorization, {
      subject: callSubject(address.right),
      payload: bodyOf(request),
      headers: headers.right,
      timeoutMs: timeoutMs.right,
      mayStore: true,
    })();
    return E.isLeft(said) ? sendFault(reply, said.left) : sendResult(reply, said.right);
  };

  const send = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const address = addressIn(request);
    if (E.isLeft(address)) return sendFault(reply, address.left);
    const headers = commandHeaders(request);
    if (E.isLeft(headers)) return sendFault(reply, headers.left);
    const said = await relay(links, request.headers.authorization, {
      subject: commandSubject(address.right),
      payload: bodyOf(request),
      headers: headers.right,
      timeoutMs: STORE_MS,
      mayStore: true,
    })();
    if (E.isLeft(said)) return sendFault(reply, said.left);
    const stored = storedOf(said.right);
    if (E.isLeft(stored))
      return isRefusal(stored.left) ? sendRefusal(reply, stored.left) : sendFault(reply, stored.left);
    const seq = stored.right;
    return reply
      .code(202)
      .header('Location', `/v1/results/${seq}`)
      .header(HEADER.cause, `${seq}`)
      .type('application/json')
      .send(Buffer.from(encodeJson({ seq })));
  };

  const result = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { seq: text } = request.params as { readonly seq: string };
    const said = await pipe(
      TE.fromEither(pipe(E.Do, E.apS('seq', sequenceIn(text)), E.apS('timeoutMs', waitOf(request)))),
      TE.chain(({ seq, timeoutMs }) =>
        relay(links, request.headers.authorization, {
          subject: askedResultSubject(seq),
          payload: EMPTY,
          headers: {},
          timeoutMs,
          mayStore: true,
        }),
      ),
    )();
    if (E.isRight(said)) return sendResult(reply, said.right);
    if (said.left.code !== 'LOG_UNCERTAIN') return sendFault(reply, said.left);
    return sendFault(
      reply,
      fault('RESULT_PENDING', `command ${text} has no result yet: ask again, or with a longer \`wait\``),
    );
  };

  /** A request about a command that was sent before. */
  const about = async (
    request: FastifyRequest,
    reply: FastifyReply,
    subjectOf: (seq: number) => string,
  ): Promise<FastifyReply> => {
    const { seq: text } = request.params as { readonly seq: string };
    const said = await pipe(
      TE.fromEither(sequenceIn(text)),
      TE.chain((seq) =>
        relay(links, request.headers.authorization, {
          subject: subjectOf(seq),
          payload: bodyOf(request),
          headers: {},
          timeoutMs: STORE_MS,
          mayStore: true,
        }),
      ),
    )();
    return E.isLeft(said) ? sendFault(reply, said.left) : sendResult(reply, said.right);
  };

  // A command is named by its sequence, and a module by a name that has more than digits.
  app.post('/v1/commands/:seq(^\\d+$)/cancel', (request, reply) =>
    about(request, reply, cancelRequestSubject),
  );
  app.post('/v1/commands/:seq(^\\d+$)/restart', (request, reply) =>
    about(request, reply, restartRequestSubject),
  );
  for (const agent of ['', '/:agent']) {
    app.post(`/v1/calls/:module/:action${agent}`, call);
    app.post(`/v1/commands/:module/:action${agent}`, send);
  }
  app.get('/v1/results/:seq', result);
};
