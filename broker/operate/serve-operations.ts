import type { JetStreamManager } from '@nats-io/jetstream';
import { left } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type AuditRequest, AuditRequestSchema } from '../../schemas/audit-record.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { parseInstant } from '../../schemas/instant.js';
import { OPS } from '../../schemas/operate.js';
import type { Marks } from '../../schemas/sensitive.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { Audit } from '../audit/audit.js';
import { AuditPages } from '../audit/audit-pages.js';
import { audited } from '../audit/audited.js';
import { type Handler, serveRequests } from '../serving/serve-requests.js';
import type { Listening } from '../serving/serve.js';

const checkRequest = compileOnUse<AuditRequest>(AuditRequestSchema, 'PAYLOAD_INVALID', 'request');

const checkSince = (request: AuditRequest): TE.TaskEither<Fault, AuditRequest> =>
  request.since === undefined || parseInstant(request.since) !== undefined
    ? TE.right(request)
    : TE.left(fault('PAYLOAD_INVALID', 'since is no RFC 3339 time', '/since'));

/** What an operator asks of the audit and of sensitive data, by subject. */
export const auditOperations = (
  jsm: JetStreamManager,
  hidden: () => { readonly marks: Marks; readonly erased: Readonly<Record<string, readonly string[]>> },
): readonly (readonly [string, Handler])[] => {
  const pages = new AuditPages(jsm);
  return [
    [
      OPS.auditList,
      (body) =>
        pipe(
          TE.fromEither(checkRequest(body)),
          TE.chain(checkSince),
          TE.chain((request) =>
            TE.tryCatch(
              (): Promise<object> => pages.page(request),
              (error) => toFault(error, 'LOG_UNAVAILABLE'),
            ),
          ),
        ),
    ],
    // With `reveal` the reader shows all. It could read the log without asking: it asks for the record in the audit.
    [OPS.sensitive, (body) => TE.right({ ...hidden(), ...(body.reveal === true ? { marks: {} } : {}) })],
  ];
};

/** Asks when its turn comes whether the operator may still act: a token may be revoked since it was sent. */
const judgedNow =
  (judge: () => Fault | undefined, handler: Handler): Handler =>
  (body, late) =>
  async () => {
    const refused = judge();
    return refused === undefined ? handler(body, late)() : left(refused);
  };

export interface ServedOperators {
  readonly nc: NatsConnection;
  readonly served: string;
  readonly audit: Audit;
  /** Why an account may not act any more. */
  readonly judge: (account: string) => Fault | undefined;
  readonly find: (subject: string, by: string) => Handler | undefined;
}

/**
 * Serves requests of operators, `<subject>.<account>`: the server wrote the account, so the audit knows who asked. An
 * act has its record before its reply.
 */
export const serveOperators = ({ nc, served, audit, judge, find }: ServedOperators): Listening =>
  serveRequests(nc, served, (signed) => {
    const at = signed.lastIndexOf('.');
    const subject = signed.slice(0, at);
    const by = signed.slice(at + 1);
    const handler = find(subject, by);
    return handler === undefined
      ? undefined
      : audited(
          audit,
          subject,
          by,
          judgedNow(() => judge(by), handler),
        );
  });
