import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyRequest } from 'fastify';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import type { OperateRole } from '../../schemas/grants.js';
import { Masks } from '../../schemas/masks.js';
import { OPS } from '../../schemas/operate.js';
import type { Marks } from '../../schemas/sensitive.js';
import type { PrincipalLinks } from './principal-links.js';
import { asPrincipal } from './relay.js';

const ASK_MS = 5_000;

/** The server lets no account ask what its role may not. The answer says what the token lacks. */
const asLacking =
  (authorization: string | undefined, role: OperateRole) =>
  (problem: Fault): Fault => {
    if (problem.code !== 'SERVER_REFUSED') return problem;
    const needs = `the token needs the grant \`operate ${role}\``;
    return authorization === undefined
      ? fault('SERVER_REFUSED', `this is for operators: send \`Authorization: Bearer SEED\`; ${needs}`)
      : fault('NOT_ALLOWED', `this is for operators: ${needs}`);
  };

/**
 * Does what only an operator may do, as the principal of the request. The server judges by its account, as it does
 * over NATS. What `work` throws is its fault.
 */
export const asOperator = <A>(
  links: PrincipalLinks,
  { headers: { authorization } }: Pick<FastifyRequest, 'headers'>,
  role: OperateRole,
  work: (nc: NatsConnection) => TE.TaskEither<Fault, A>,
): TE.TaskEither<Fault, A> =>
  asPrincipal(links, authorization, ({ nc }) => async () => {
    try {
      return E.mapLeft(asLacking(authorization, role))(await work(nc)());
    } catch (thrown) {
      return E.left(asLacking(authorization, role)(toFault(thrown)));
    }
  });

/** A request on `ops.…`, in words for the author of a program. */
export const askBroker = <A>(
  nc: NatsConnection,
  subject: string,
  body: Readonly<Record<string, unknown>> = {},
  timeoutMs = ASK_MS,
): TE.TaskEither<Fault, A> => ask<A>(nc, subject, body, timeoutMs, PROGRAM_WORDS);

/** What is hidden in records and states. */
export const readMasks = (nc: NatsConnection): TE.TaskEither<Fault, Masks> =>
  TE.map(
    ({
      marks,
      erased,
    }: {
      readonly marks: Marks;
      readonly erased?: Readonly<Record<string, readonly string[]>>;
    }) => new Masks(marks, false, erased),
  )(askBroker(nc, OPS.sensitive));
