import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type Msg } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { neverSent } from '../../link/never-sent.js';
import { isNobody, untilServed } from '../../link/until-served.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { LentLink, PrincipalLinks } from './principal-links.js';

/** A request of HTTP as it goes to the broker over NATS. */
export interface Relayed {
  readonly subject: string;
  /** The bytes as they came; none is an empty payload. */
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Whether the broker may have stored something although there is no reply. */
  readonly mayStore: boolean;
}

const silence = ({ nc }: LentLink, { subject, mayStore }: Relayed, thrown: unknown): Fault => {
  const unsent = neverSent(thrown, nc);
  if (unsent !== undefined) return unsent;
  if (isNobody(thrown)) return fault('BROKER_UNREACHABLE', `no broker serves ${subject}: is it running?`);
  const text = `no answer to ${subject}: ${(thrown as Error).message}`;
  return mayStore
    ? fault('LOG_UNCERTAIN', `${text}; the command may be recorded`)
    : fault('BROKER_UNREACHABLE', text);
};

const sent = async (lent: LentLink, relayed: Relayed): Promise<E.Either<Fault, Msg>> => {
  const { subject, payload, headers, timeoutMs } = relayed;
  const all = makeHeaders();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  try {
    return E.right(
      await untilServed(() => linkedRequest(lent.nc, subject, payload, { headers: all, timeout: timeoutMs })),
    );
  } catch (thrown) {
    return E.left(silence(lent, relayed, thrown));
  }
};

/**
 * Does something over the connection of the principal that the header `Authorization` names. Each call passes here, so
 * it is written without the chains of fp-ts, which cost more than the rest of it.
 */
export const asPrincipal =
  <A>(
    links: PrincipalLinks,
    authorization: string | undefined,
    work: (lent: LentLink) => TaskEither<Fault, A>,
  ): TaskEither<Fault, A> =>
  async () => {
    const lent = await links.lend(authorization);
    if (E.isLeft(lent)) return lent;
    try {
      return await work(lent.right)();
    } finally {
      lent.right.giveBack();
    }
  };

/** Sends a request as that principal, and waits for the reply. */
export const relay = (
  links: PrincipalLinks,
  authorization: string | undefined,
  relayed: Relayed,
): TaskEither<Fault, Msg> => asPrincipal(links, authorization, (lent) => () => sent(lent, relayed));
