import Type, { type Static } from 'typebox';

/** The largest values of the buckets in which the times of commands are counted, milliseconds. One more is above. */
export const TIME_BUCKETS_MS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

const Times = Type.Object({
  counts: Type.Immutable(
    Type.Array(Type.Integer({ minimum: 0 }), {
      maxItems: TIME_BUCKETS_MS.length + 1,
      description: `Commands by their time, at most ${TIME_BUCKETS_MS.join(', ')} ms, and above.`,
    }),
  ),
  sumMs: Type.Number({ minimum: 0 }),
});
export type TimeCounts = Readonly<Static<typeof Times>>;

export const CommandTimesSchema = Type.Object(
  { routing: Times, processing: Times, whole: Times },
  {
    description:
      'Times of the commands that the process has handled. routing: from the record in the log to its delivery; ' +
      'processing: from the begin of the handler to the stored result; whole: from the record to the stored result.',
  },
);
export type CommandTimes = Readonly<Static<typeof CommandTimesSchema>>;

/** Counts times in those buckets. */
export class TimeCounter implements TimeCounts {
  readonly counts: number[] = TIME_BUCKETS_MS.map(() => 0).concat(0);
  sumMs = 0;

  add(ms: number): void {
    // A clock may be set back.
    const time = ms > 0 ? ms : 0;
    let place = 0;
    while (place < TIME_BUCKETS_MS.length && time > (TIME_BUCKETS_MS[place] as number)) place += 1;
    this.counts[place] = (this.counts[place] as number) + 1;
    this.sumMs += time;
  }
}

const isCounts = (value: unknown): value is TimeCounts => {
  const { counts, sumMs } = (value ?? {}) as Partial<TimeCounts>;
  return (
    Array.isArray(counts) &&
    counts.length === TIME_BUCKETS_MS.length + 1 &&
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    typeof sumMs === 'number' &&
    sumMs >= 0
  );
};

/** What a beat says of times; undefined: nothing that can be read. */
export const commandTimesIn = (value: unknown): CommandTimes | undefined => {
  const { routing, processing, whole } = (value ?? {}) as Partial<CommandTimes>;
  return isCounts(routing) && isCounts(processing) && isCounts(whole)
    ? { routing, processing, whole }
    : undefined;
};
