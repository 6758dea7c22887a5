import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** What a histogram says of the times that it has. */
export interface Times {
  readonly count: number;
  readonly minUs: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** The whole histogram in nanoseconds, as the tools of HdrHistogram read it: compressed, base64. */
  readonly hdr: string;
}

/** Nanoseconds in a microsecond. */
const NS = 1_000;

/** Three digits of each time are kept, from 1 ns to a minute. */
export const newHistogram = (): Histogram =>
  build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000_000,
    numberOfSignificantValueDigits: 3,
  });

export const timesIn = (histogram: Histogram): Times => ({
  count: histogram.totalCount,
  minUs: histogram.minNonZeroValue / NS,
  meanUs: histogram.mean / NS,
  p50Us: histogram.getValueAtPercentile(50) / NS,
  p95Us: histogram.getValueAtPercentile(95) / NS,
  p99Us: histogram.getValueAtPercentile(99) / NS,
  maxUs: histogram.maxValue / NS,
  hdr: encodeIntoCompressedBase64(histogram),
});

/** Runs it so many times, one after the other, and notes how long each took. */
export const timed = async (times: number, run: () => Promise<unknown> | undefined): Promise<Times> => {
  const histogram = newHistogram();
  for (let i = 0; i < times; i++) {
    const from = process.hrtime.bigint();
    await run();
    histogram.recordValue(Number(process.hrtime.bigint() - from));
  }
  return timesIn(histogram);
};

/** The times of several runs as one. */
export const mergedTimes = (runs: readonly Times[]): Times => {
  const all = newHistogram();
  for (const { hdr } of runs) all.add(decodeFromCompressedBase64(hdr));
  return timesIn(all);
};
