import type { FastifyReply } from 'fastify';
import { type Fault, fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { type Refusal, refusal, serviceCode } from '../../schemas/result.js';

/** The media type of RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json';

/** An error as HTTP has it: RFC 9457, with what a result of the log says of it. */
export interface HttpProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly result: Refusal['status'];
  readonly retryable: boolean;
  readonly path?: string;
  readonly retryAfterMs?: number;
  readonly attempts?: number;
  readonly dead?: boolean;
}

/** `code` is the code of the error table, or of the module's domain; `status` is the one that NATS services have. */
export const problemOf = (said: Refusal): HttpProblem => {
  const { code, message, ...rest } = said.error;
  return {
    type: `urn:tallystick:error:${code}`,
    title: code,
    status: serviceCode(said),
    detail: message,
    code,
    result: said.status,
    ...rest,
  };
};

/** The time of the header `Retry-After` is in whole seconds. */
const secondsOf = (ms: number): string => `${Math.max(1, Math.ceil(ms / 1_000))}`;

/** Without a time in the error, a client that may try again waits for a second. */
const retryAfter = ({ status, retryable, retryAfterMs }: HttpProblem): string | undefined => {
  if (retryAfterMs !== undefined) return secondsOf(retryAfterMs);
  return retryable && (status === 429 || status === 503) ? '1' : undefined;
};

export const sendRefusal = (reply: FastifyReply, said: Refusal): FastifyReply => {
  const problem = problemOf(said);
  const wait = retryAfter(problem);
  if (wait !== undefined) void reply.header('Retry-After', wait);
  if (problem.status === 401) void reply.header('WWW-Authenticate', 'Bearer realm="tallystick"');
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(Buffer.from(encodeJson(problem)));
};

export const sendFault = (reply: FastifyReply, problem: Fault): FastifyReply =>
  sendRefusal(reply, refusal(problem));

/** What Fastify itself refuses, by its status. */
const CODES: Readonly<Record<number, Fault['code']>> = {
  400: 'HTTP_INVALID',
  404: 'HTTP_UNKNOWN',
  405: 'HTTP_UNKNOWN',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'HTTP_INVALID',
  503: 'OVERLOADED',
};

/** A request that never reached a route. */
export const refusedByHttp = (status: number, text: string): Fault =>
  fault(CODES[status] ?? (status < 500 ? 'HTTP_INVALID' : 'INTERNAL'), text);
