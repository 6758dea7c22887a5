import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type LogApi, logEnds } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import type { Fault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';

/** A record of the log, and when it was stored. */
export type LogTime = Pick<StoredMessage, 'seq' | 'time'>;

/** Records with the same distance from each other, and the ends of the log. */
export interface LogTimes {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly places: readonly LogTime[];
}

/** A record may have a megabyte: so many are held at a time. */
const TOGETHER = 32;

/** At most `count` sequences from one end to the other, both included. */
const placesBetween = (first: number, last: number, count: number): readonly number[] => {
  if (last < first || first < 1) return [];
  const steps = Math.min(count - 1, last - first);
  return Array.from({ length: steps + 1 }, (_, i) =>
    steps === 0 ? first : first + Math.round((i * (last - first)) / steps),
  );
};

/** When the log had come how far, by `count` of its records: how many a second follows from two of them. */
export const logTimes =
  (api: LogApi, count: number): TaskEither<Fault, LogTimes> =>
  async () => {
    const ends = await logEnds(api);
    if (isLeft(ends)) return left(ends.left.fault);
    const { firstSeq, lastSeq } = ends.right;
    const wanted = placesBetween(firstSeq, lastSeq, count);
    const places: LogTime[] = [];
    for (let i = 0; i < wanted.length; i += TOGETHER) {
      const records = await recordsAt(api, wanted.slice(i, i + TOGETHER))();
      if (isLeft(records)) return records;
      places.push(...records.right.map(({ seq, time }) => ({ seq, time })));
    }
    return right({ firstSeq, lastSeq, places });
  };
