import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { FastifyReply } from 'fastify';
import type { Fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { sendFault } from './http-problem.js';

/** Text that is JSON already. */
export class JsonText {
  constructor(readonly text: string) {}
}

const bytesOf = (value: unknown): Uint8Array =>
  value instanceof JsonText ? Buffer.from(value.text) : encodeJson(value);

/** Answers with JSON, or with the problem. */
export const answerWith = async (
  reply: FastifyReply,
  work: TaskEither<Fault, unknown>,
  status = 200,
): Promise<FastifyReply> => {
  const said = await work();
  if (E.isLeft(said)) return sendFault(reply, said.left);
  return reply
    .code(status)
    .type('application/json')
    .send(Buffer.from(bytesOf(said.right)));
};
