import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { firstSince, type LogApi, type LogEnds } from '../../journal/read/reader-api.js';
import type { Fault } from '../../schemas/errors.js';

/** The last sequence that was stored at or before a place; 0: nothing was. */
export const lastAt = async (
  api: LogApi,
  at: number | Date,
  { lastSeq }: LogEnds,
): Promise<Either<Fault, number>> => {
  if (typeof at === 'number') return right(Math.min(at, lastSeq));
  // Times are shown cut to milliseconds: what is shown with this time counts.
  const after = await firstSince(api, new Date(at.getTime() + 1));
  if (isLeft(after)) return left(after.left.fault);
  return right(after.right === undefined ? lastSeq : Math.min(after.right - 1, lastSeq));
};

/** The first sequence that was stored at or behind a place; one behind the end: nothing was. */
export const firstAt = async (
  api: LogApi,
  from: number | Date,
  { lastSeq }: LogEnds,
): Promise<Either<Fault, number>> => {
  if (typeof from === 'number') return right(from);
  const found = await firstSince(api, from);
  return isLeft(found) ? left(found.left.fault) : right(found.right ?? lastSeq + 1);
};
