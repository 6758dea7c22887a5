import { headers as makeHeaders, type Msg, type MsgHdrs } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { forCaller, type Refusal, type Result, refusal, serviceCode } from '../../schemas/result.js';

const decoder = new TextDecoder();

const serviceHeaders = (headers: MsgHdrs, { status, error }: Refusal): void => {
  // A header is one line; a message that a module wrote need not be.
  headers.set(HEADER.serviceError, `${error.code}: ${error.message}`.replace(/[\r\n]+/g, ' '));
  headers.set(HEADER.serviceErrorCode, String(serviceCode({ status, error })));
};

/** Answers a call that was not recorded. */
export const replyFault = (msg: Msg, problem: Fault): void => {
  const answer = refusal(problem);
  const headers = makeHeaders();
  serviceHeaders(headers, answer);
  msg.respond(encodeJson(answer), { headers });
};

/** Answers a call with the stored result of its command. Returns the error's code, or null. */
export const replyResult = (msg: Msg, command: number, body: Uint8Array): string | null => {
  const result = JSON.parse(decoder.decode(body)) as Result;
  const headers = makeHeaders();
  headers.set(HEADER.cause, String(command));
  if (result.status !== 'ok') serviceHeaders(headers, result);
  // Most results of queries and refusals carry nothing else, so their stored bytes are the answer.
  const data = result.status === 'ok' && result.out !== undefined ? encodeJson(forCaller(result)) : body;
  msg.respond(data, { headers });
  return result.status === 'ok' ? null : result.error.code;
};
