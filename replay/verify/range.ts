import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { firstSince, type LogApi, type LogEnds } from '../../journal/read/reader-api.js';
import type { Fault } from '../../schemas/errors.js';

/** A place in the log: a sequence, or a time. */
export type LogPlace = number | Date;

export interface SequenceRange {
  readonly fromSeq: number;
  /** Below `fromSeq` where nothing is in the range. */
  readonly toSeq: number;
}

/** The sequences of a range of places; one that ends behind the log ends with it. */
export const sequencesOf = async (
  api: LogApi,
  { lastSeq }: LogEnds,
  from: LogPlace | undefined,
  to: LogPlace | undefined,
): Promise<Either<Fault, SequenceRange>> => {
  let fromSeq = typeof from === 'number' ? from : 1;
  if (from instanceof Date) {
    const first = await firstSince(api, from);
    if (isLeft(first)) return left(first.left.fault);
    fromSeq = first.right ?? lastSeq + 1;
  }
  let toSeq = typeof to === 'number' ? Math.min(to, lastSeq) : lastSeq;
  if (to instanceof Date) {
    const behind = await firstSince(api, new Date(to.getTime() + 1));
    if (isLeft(behind)) return left(behind.left.fault);
    if (behind.right !== undefined) toSeq = Math.min(lastSeq, behind.right - 1);
  }
  return right({ fromSeq, toSeq });
};
