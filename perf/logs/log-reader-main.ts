/** The process that reads from a log. */
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { type Times, newHistogram, timesIn } from '../bench/histogram.js';
import { type PeerLogPlace, type RecordReader, nowNs } from './clients/log-client.js';
import { openLogReader } from './clients/open-client.js';

/** What was read since the records before were taken. */
export interface TakenRecords {
  /** From the first record to the last one. */
  readonly perSecond: number;
  /** From when a record was due to when the program handled it. */
  readonly times: Times;
}

export type LogReaderQuestions = {
  readonly pid: { readonly ask: null; readonly answer: number };
  readonly open: { readonly ask: null; readonly answer: null };
  /** Answers when so many have come; rejects if more come, or if they take too long. */
  readonly take: { readonly ask: { readonly records: number }; readonly answer: TakenRecords };
  readonly close: { readonly ask: null; readonly answer: null };
};

const LIMIT_MS = 120_000;

const place = settingOf<PeerLogPlace>();
let reader: RecordReader | undefined;
let histogram = newHistogram();
let [got, wanted, firstNs, lastNs] = [0, Number.POSITIVE_INFINITY, 0, 0];
let enough: (() => void) | undefined;

const handle = (atNs: number): void => {
  lastNs = nowNs();
  if (got === 0) firstNs = lastNs;
  got += 1;
  histogram.recordValue(Math.max(1, lastNs - atNs));
  if (got >= wanted) enough?.();
};

const take = async ({ records }: { readonly records: number }): Promise<TakenRecords> => {
  wanted = records;
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${got} of ${records} records came`)), LIMIT_MS);
    enough = resolve;
    if (got >= wanted) resolve();
  });
  clearTimeout(timer);
  if (got > records) throw new Error(`${got} records came, and ${records} were written`);
  const taken = { perSecond: ((got - 1) * 1e9) / (lastNs - firstNs), times: timesIn(histogram) };
  [got, wanted, histogram] = [0, Number.POSITIVE_INFINITY, newHistogram()];
  return taken;
};

answerQuestions<LogReaderQuestions>({
  pid: () => process.pid,
  open: async () => {
    reader = await openLogReader(place, handle);
    return null;
  },
  take,
  close: async () => {
    await reader?.close();
    return null;
  },
});
