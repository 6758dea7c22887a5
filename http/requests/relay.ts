import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
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

const sent = (lent: LentLink, relayed: Relayed): TE.TaskEither<Fault, Msg> => {
  const { subject, payload, headers, timeoutMs } = relayed;
  const all = makeHeaders();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return TE.tryCatch(
    () => untilServed(() => linkedRequest(lent.nc, subject, payload, { headers: all, timeout: timeoutMs })),
    (thrown) => silence(lent, relayed, thrown),
  );
};

/** Does something over the connection of the principal that the header `Authorization` names. */
export const asPrincipal = <A>(
  links: PrincipalLinks,
  authorization: string | undefined,
  work: (lent: LentLink) => TE.TaskEither<Fault, A>,
): TE.TaskEither<Fault, A> =>
  pipe(
    () => links.lend(authorization),
    TE.chain((lent) => async () => {
      const said = await work(lent)();
      lent.giveBack();
      return said;
    }),
  );

/** Sends a request as that principal, and waits for the reply. */
export const relay = (
  links: PrincipalLinks,
  authorization: string | undefined,
  relayed: Relayed,
): TE.TaskEither<Fault, Msg> => asPrincipal(links, authorization, (lent) => sent(lent, relayed));
