import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import {
  type AuditLine,
  type AuditPage,
  type AuditRequest,
  MAX_AUDIT_PAGE,
} from '../../schemas/audit-record.js';
import type { Fault } from '../../schemas/errors.js';
import { OPS } from '../../schemas/operate.js';
import { pause } from '../../system/async/pause.js';

/** What a person asks for. */
export type AuditFilter = Pick<AuditRequest, 'principal' | 'kind' | 'since'>;

const FOLLOW_MS = 500;

const pageOf = (nc: NatsConnection, request: AuditRequest): Promise<Either<Fault, AuditPage>> =>
  ask<AuditPage>(nc, OPS.auditList, request)();

/** The newest records that match, in the order in which they were written. */
export const newestAudit = async (
  nc: NatsConnection,
  filter: AuditFilter,
  limit: number,
): Promise<Either<Fault, readonly AuditLine[]>> => {
  let found: readonly AuditLine[] = [];
  let before: number | null | undefined;
  while (found.length < limit && before !== null) {
    const page = await pageOf(nc, {
      ...filter,
      limit: Math.min(MAX_AUDIT_PAGE, limit - found.length),
      ...(before === undefined ? {} : { before }),
    });
    if (isLeft(page)) return page;
    found = [...page.right.records, ...found];
    before = page.right.next;
  }
  return right(found);
};

/** The newest record of all, whatever matches; 0: there is none. */
export const endOfAudit = async (nc: NatsConnection): Promise<Either<Fault, number>> => {
  const newest = await newestAudit(nc, {}, 1);
  return isLeft(newest) ? newest : right(newest.right.at(-1)?.seq ?? 0);
};

/** Records that match as they come, from a place on. Ends with the first request that fails. */
export const followAudit = async function* (
  nc: NatsConnection,
  filter: AuditFilter,
  after: number,
): AsyncGenerator<Either<Fault, AuditLine>, void, void> {
  for (let place = after; ; ) {
    const page = await pageOf(nc, { ...filter, after: place });
    if (isLeft(page)) return yield page;
    for (const line of page.right.records) yield right(line);
    place = page.right.next ?? place;
    if (page.right.records.length === 0) await pause(FOLLOW_MS);
  }
};
