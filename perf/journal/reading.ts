import { readLog, readLogBatches } from '../../journal/index.js';
import { startBenchServer } from '../bench/bench-server.js';
import { findNatsCli, natsBench } from '../bench/nats-bench.js';
import { type Contender, inRounds, type Measured, measured } from '../bench/rounds.js';
import type { Report, Scenario, ScenarioOptions } from '../bench/scenario.js';
import { fillLog, PAYLOAD_BYTES } from './fill.js';
import { formatNumber } from '../../text/numbers.js';

export interface ReadingResult {
  readonly serverVersion: string;
  readonly records: number;
  readonly payloadBytes: number;
  readonly rounds: number;
  /** Records a second from the first of the log to the last, by what reads. */
  readonly readers: Readonly<Record<string, Measured>>;
  /**
   * Processor time of this process a record, microseconds, while the journal reads in batches: neighbours on the
   * machine take from the rate far more than from this.
   */
  readonly cpuMicrosPerRecord: Measured;
  /** Median of the journal's reader: the `readPerSecond` of `journal`. */
  readonly readPerSecond: number;
}

const RECORDS = 1_000_000;
const ROUNDS = 5;
const JOURNAL = 'journal, batches';

const rate = async (source: AsyncIterable<number>, expected: number): Promise<number> => {
  const from = performance.now();
  let count = 0;
  for await (const records of source) count += records;
  const seconds = (performance.now() - from) / 1_000;
  if (count < expected) throw new Error(`${count} records were read of ${expected}`);
  return count / seconds;
};

/** Reads a whole log that does not grow, again and again, compared with `nats bench`. */
export const measureReading = async ({
  records = RECORDS,
  rounds = ROUNDS,
  say,
}: ScenarioOptions): Promise<ReadingResult> => {
  const nats = await findNatsCli(say);
  await using server = await startBenchServer('os', say);
  const { nc, url } = server;
  await fillLog(nc, records, say);

  const cpuMicros: number[] = [];
  const contenders: Contender[] = [
    {
      name: JOURNAL,
      run: async () => {
        const before = process.cpuUsage();
        const batches = (async function* () {
          for await (const batch of readLogBatches(nc)) yield batch.length;
        })();
        const perSecond = await rate(batches, records);
        const { user, system } = process.cpuUsage(before);
        cpuMicros.push((user + system) / records);
        return perSecond;
      },
    },
    {
      name: 'journal, one by one',
      run: () =>
        rate(
          (async function* () {
            let count = 0;
            for await (const _ of readLog(nc)) count += 1;
            yield count;
          })(),
          records,
        ),
    },
  ];
  if (nats !== undefined) {
    const of = ['--stream', 'LOG', '--msgs', String(records)];
    const peer = (name: string, args: readonly string[]): void => {
      contenders.push({
        name: `nats bench js ${name}`,
        run: () => natsBench(nats, url, ['js', ...args, ...of]),
      });
    };
    peer('ordered', ['ordered', '--batch', '10000']);
    peer('get batch', ['get', 'batch', '--batch', '10000']);
  }
  const readers = await inRounds(contenders, rounds, say);
  return {
    serverVersion: server.version,
    records,
    payloadBytes: PAYLOAD_BYTES,
    rounds,
    readers: Object.fromEntries(readers),
    cpuMicrosPerRecord: measured(cpuMicros),
    readPerSecond: Math.round(readers.get(JOURNAL)?.median ?? Number.NaN),
  };
};

const report = (reading: ReadingResult): Report => {
  const { median, min, max } = reading.cpuMicrosPerRecord;
  return {
    data: { reading, ratios: { readPerSecond: reading.readPerSecond } },
    tables: [
      {
        title: `reading ${formatNumber(reading.records)} records of ${reading.payloadBytes} bytes, records a second, ${reading.rounds} rounds`,
        heads: ['reader', 'median', 'lowest', 'highest'],
        rows: Object.entries(reading.readers).map(([name, { median, min, max }]) => [
          name,
          formatNumber(median),
          formatNumber(min),
          formatNumber(max),
        ]),
      },
      {
        title: 'processor time of the process that reads in batches, microseconds a record',
        heads: ['', 'median', 'lowest', 'highest'],
        rows: [[JOURNAL, ...[median, min, max].map((value) => value.toFixed(2))]],
      },
    ],
  };
};

export const reading: Scenario = {
  name: 'reading',
  summary: 'a reader behind the head catches up, compared with `nats bench js`',
  run: async (options) => report(await measureReading(options)),
};
