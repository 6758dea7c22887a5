import * as E from 'fp-ts/lib/Either.js';
import type { Msg, MsgHdrs } from 'nats';
import { headersFrom } from '../../link/client-insides.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { LOG, MAX_PAYLOAD_BYTES } from '../../schemas/log.js';
import { type Refusal, RefusalSchema, type Result, refusal, serviceCode } from '../../schemas/result.js';
import { bodyForCaller, parseResult } from '../../schemas/result-bytes.js';
import { compileOnUse } from '../../schemas/validate.js';
import { shortened } from '../serving/answer.js';
import type { StoredResult } from './pending-calls.js';

/** The body has the whole message; with a copy of a long one the reply would be above what the server takes. */
const MAX_HEADER_TEXT = 1_024;

const checkRefusal = compileOnUse<Refusal>(RefusalSchema, 'OUTCOME_INVALID', 'the result');

const line = (name: string, value: string | number): string => `${name}: ${value}\r\n`;

const serviceLines = ({ status, error }: Refusal): string => {
  // A header is one line; a message that a module wrote need not be.
  const text = `${error.code}: ${error.message}`.slice(0, MAX_HEADER_TEXT).replace(/[\r\n]+/g, ' ');
  return line(HEADER.serviceError, text) + line(HEADER.serviceErrorCode, serviceCode({ status, error }));
};

/** Headers in their bytes: the client's own object would check and write each line again, for 3 us a reply. */
const headersOfLines = (lines: string): MsgHdrs => headersFrom(() => Buffer.from(`NATS/1.0\r\n${lines}\r\n`));

/** The answer to a call: its bytes, and what it says when it is no. */
interface CallReply {
  readonly body: Uint8Array;
  readonly refusal?: Refusal;
}

const refusing = (problem: Fault): CallReply => {
  const said = refusal(problem);
  return { body: encodeJson(said), refusal: said };
};

/**
 * The answer that a stored result is, in the bytes that are stored, or what is wrong with it: a module in another
 * language stores what it likes.
 */
const readResult = (body: Uint8Array): CallReply => {
  const value = parseResult(body);
  if (value === undefined) {
    return refusing(fault('OUTCOME_INVALID', 'the module stored a result that is not JSON'));
  }
  if ((value as Partial<Result> | null)?.status === 'ok') return { body: bodyForCaller(body) };
  const checked = checkRefusal(value);
  if (E.isLeft(checked)) return refusing(checked.left);
  return body.length > MAX_PAYLOAD_BYTES
    ? refusing(
        fault('OUTCOME_TOO_LARGE', `${checked.right.error.code}, with an error of ${body.length} bytes`),
      )
    : { body, refusal: checked.right };
};

/**
 * Answers who sent a command, as JetStream itself would: it is stored, at this sequence. `isDuplicate`: by an earlier
 * request with its key.
 */
export const replyStored = (msg: Msg, seq: number, isDuplicate = false): void => {
  msg.respond(`{"stream":"${LOG}","seq":${seq}${isDuplicate ? ',"duplicate":true' : ''}}`);
};

/** Answers a call that was not recorded. */
export const replyFault = (msg: Msg, problem: Fault): void => {
  const answer = refusal(shortened(problem));
  msg.respond(encodeJson(answer), { headers: headersOfLines(serviceLines(answer)) });
};

/** Answers a call with the stored result of its command. Returns the error's code, or null. */
export const replyResult = (msg: Msg, command: number, { body, seq }: StoredResult): string | null => {
  const answer = readResult(body);
  // A client that waits until a module's states have the sequence of the result reads what this call wrote.
  const lines = line(HEADER.cause, command) + line(HEADER.result, seq);
  const service = answer.refusal === undefined ? '' : serviceLines(answer.refusal);
  msg.respond(answer.body, { headers: headersOfLines(lines + service) });
  return answer.refusal?.error.code ?? null;
};
