import pidusage from 'pidusage';
import { startBenchServer } from '../bench/bench-server.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { openProducer, unlimited } from './load.js';
import { formatNumber } from '../../text/numbers.js';

const SECONDS = 60;
const SAMPLE_MS = 500;
/** Records a second of a `--records` run, to make a short one of it. */
const NOMINAL_RATE = 100_000;
const MIB = 1024 * 1024;

/** The server's memory while the journal appends as fast as it can, with the limit that the broker gives it. */
export const memory: Scenario = {
  name: 'memory',
  summary: 'memory of the server under the highest load of one producer for 60 s',
  run: async ({ records, say }): Promise<Report> => {
    const seconds = records === undefined ? SECONDS : records / NOMINAL_RATE;
    await using server = await startBenchServer('os', say);
    const samples: number[] = [];
    const sample = async (): Promise<void> => {
      const pid = server.pid();
      if (pid === undefined) return;
      samples.push((await pidusage(pid)).memory);
      if (samples.length % 10 === 0) say(`${Math.round((samples.at(-1) as number) / MIB)} MiB`);
    };
    const timer = setInterval(() => void sample(), SAMPLE_MS);
    const producer = await openProducer(server.nc, 'os');
    const { perSecond } = await unlimited(producer, seconds);
    clearInterval(timer);
    // A short run is over before the first sample.
    await sample();
    await producer.close();
    const serverPeakMiB = Math.round(Math.max(...samples) / MIB);
    const data = { seconds, perSecond: Math.round(perSecond), serverPeakMiB };
    return {
      data: { ...data, ratios: { serverPeakMiB } },
      tables: [
        {
          title: `appending for ${seconds} s, durability os`,
          heads: ['records/s', 'peak of the server, MiB', 'held'],
          rows: [[formatNumber(data.perSecond), String(serverPeakMiB), '< 1,024']],
        },
      ],
    };
  },
};
