import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Producer } from '../../journal/producer/producer.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { refusal } from '../../schemas/result.js';
import { resultSubject, storedCommandSubject } from '../../schemas/subjects.js';
import { ACCESS_MODULE, type Principal } from '../../schemas/access-requests.js';

/** What happened to a principal's rights. `grant`: they are these from now on. */
export type AccessAction = 'grant' | 'revoke';

/** A change of rights, and the account that asked for it. */
export interface AccessChange {
  readonly action: AccessAction;
  readonly principal: Principal;
  readonly by: string;
}

/** The payload of the command: all that somebody needs to know later of who could do what. */
export const recordedRights = ({ action, principal }: AccessChange): object =>
  action === 'revoke'
    ? {}
    : {
        allow: principal.allow,
        expires: principal.expires,
        publicKey: principal.publicKey,
        ...(principal.limits === undefined ? {} : { limits: principal.limits }),
      };

const addressOf = ({ action, principal }: AccessChange) => ({
  module: ACCESS_MODULE,
  name: action,
  agent: principal.name,
});

type Writer = Pick<Producer, 'append'>;

/** Stores the command that asks for a change; its sequence. */
export const recordCommand = (producer: Writer, change: AccessChange): TE.TaskEither<Fault, number> =>
  pipe(
    producer.append(
      {
        subject: storedCommandSubject(addressOf(change), change.by),
        data: encodeJson(recordedRights(change)),
        headers: {},
      },
      { keep: false },
    ),
    TE.map(({ seq }) => seq),
  );

/** Stores the result of such a command: that the server follows, or why not. */
export const recordResult = (
  producer: Writer,
  subject: { readonly name: string; readonly agent: string },
  command: number,
  outcome: E.Either<Fault, unknown>,
): TE.TaskEither<Fault, number> =>
  pipe(
    producer.append(
      {
        subject: resultSubject({ module: ACCESS_MODULE, ...subject }),
        data: encodeJson(E.isLeft(outcome) ? refusal(outcome.left) : { status: 'ok', data: {} }),
        headers: { [HEADER.cause]: `${command}`, [HEADER.conversation]: `${command}` },
      },
      { keep: false, patient: true },
    ),
    TE.map(({ seq }) => seq),
  );

/** The result of a command that an earlier broker could not finish. */
export const unfinished = E.left(
  fault('MODULE_UNAVAILABLE', 'the broker ended before it had done this; the next record says what holds'),
);
