/** The process that writes to a log. */
import { pause } from '../../system/async/pause.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { type Times, newHistogram, timesIn } from '../bench/histogram.js';
import { type PeerLogPlace, type RecordWriter, nowNs, recordAt } from './clients/log-client.js';
import { openLogWriter } from './clients/open-client.js';

/** What was written, and how long each append took until it was stored. */
export interface WrittenRecords {
  readonly records: number;
  readonly perSecond: number;
  readonly times: Times;
}

export type LogWriterQuestions = {
  readonly open: { readonly ask: null; readonly answer: { readonly pid: number } };
  /** Appends of one record, one after the other. */
  readonly one: {
    readonly ask: { readonly seconds: number; readonly most: number };
    readonly answer: WrittenRecords;
  };
  /** Appends of many records, several at a time. */
  readonly flood: {
    readonly ask: {
      readonly seconds: number;
      readonly most: number;
      readonly batch: number;
      readonly inFlight: number;
    };
    readonly answer: WrittenRecords;
  };
  /** Appends of one record at fixed times. Each takes from when it was due, also if it was sent late. */
  readonly paced: {
    readonly ask: { readonly perSecond: number; readonly records: number };
    readonly answer: WrittenRecords;
  };
};

const SECOND_NS = 1e9;

const place = settingOf<PeerLogPlace>();
let writer: RecordWriter | undefined;

const append = (records: readonly Uint8Array[]): Promise<void> => {
  if (writer === undefined) throw new Error('the writer is not open');
  return writer.append(records);
};

const flood = async ({
  seconds,
  most,
  batch,
  inFlight,
}: LogWriterQuestions['flood']['ask']): Promise<WrittenRecords> => {
  const histogram = newHistogram();
  const from = nowNs();
  const until = from + seconds * SECOND_NS;
  let left = most;
  let records = 0;
  const lane = async (): Promise<void> => {
    while (nowNs() < until && left > 0) {
      left -= batch;
      const begun = nowNs();
      await append(Array.from({ length: batch }, () => recordAt(begun)));
      histogram.recordValue(nowNs() - begun);
      records += batch;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return {
    records,
    perSecond: (records * SECOND_NS) / (nowNs() - from),
    times: timesIn(histogram),
  };
};

const paced = async ({ perSecond, records }: LogWriterQuestions['paced']['ask']): Promise<WrittenRecords> => {
  const histogram = newHistogram();
  const from = nowNs();
  const stored: Promise<void>[] = [];
  for (let next = 0; next < records; ) {
    for (let due = from + (next * SECOND_NS) / perSecond; next < records && due <= nowNs(); ) {
      const at = Math.round(due);
      stored.push(append([recordAt(at)]).then(() => histogram.recordValue(nowNs() - at)));
      next += 1;
      due = from + (next * SECOND_NS) / perSecond;
    }
    await pause(1);
  }
  await Promise.all(stored);
  return { records, perSecond: (records * SECOND_NS) / (nowNs() - from), times: timesIn(histogram) };
};

answerQuestions<LogWriterQuestions>({
  open: async () => {
    writer = await openLogWriter(place);
    return { pid: process.pid };
  },
  one: (ask) => flood({ ...ask, batch: 1, inFlight: 1 }),
  flood,
  paced,
});
