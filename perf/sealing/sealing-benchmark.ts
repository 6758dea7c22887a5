import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { startReaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { inRounds, type Measured } from '../bench/rounds.js';
import type { Report, Scenario } from '../bench/scenario.js';

const ROUNDS = 8;
const SECONDS = 3;
const IN_FLIGHT = 64;
const AGENTS = 10_000;
/** Of the marked value. */
const TEXT = 'x'.repeat(200);

const NAMES = ['plain', 'encrypted'] as const;
type Name = (typeof NAMES)[number];

const kept = { type: 'object', properties: { text: { type: 'string', sensitive: true } } };

const manifestOf = (name: Name) => ({
  name,
  version: '1.0.0',
  description: 'Keeps a text for each agent.',
  actions: { keep: { input: kept, output: kept } },
  events: { kept: { data: kept } },
  ...(name === 'encrypted' ? { encrypt: true } : {}),
  start: { entry: './index.js' },
});

const CODE = `
const keep = (_, { data }) => ({ _tag: 'Right', right: { data, events: [{ name: 'kept', data }] } });
export default { manifest, initial: {}, actions: { keep: { decide: keep } }, evolve: { kept: (_, data) => data } };
`;

const writeModules = (dir: string): readonly string[] =>
  NAMES.map((name) => writeBenchModule(dir, { manifest: manifestOf(name), code: CODE }));

/** Calls a second: each call has the text in its input, its output, its event and its state. */
const rateOf = async (nc: NatsConnection, name: Name, seconds: number): Promise<number> => {
  const payload = JSON.stringify({ text: TEXT });
  const from = performance.now();
  const until = from + seconds * 1_000;
  let done = 0;
  const lane = async (first: number): Promise<void> => {
    for (let i = first; performance.now() < until; i += IN_FLIGHT) {
      const reply = await nc.request(`call.${name}.keep.a${i % AGENTS}`, payload, { timeout: 30_000 });
      if (!reply.string().includes(TEXT)) throw new Error(reply.string().slice(0, 300));
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => lane(i)));
  return (done * 1_000) / (performance.now() - from);
};

const report = (rates: ReadonlyMap<string, Measured>): Report => {
  const of = (name: Name): Measured => rates.get(name) as Measured;
  const pairs = of('encrypted').values.map((rate, i) => rate / (of('plain').values[i] ?? Number.NaN));
  const sorted = pairs.toSorted((a, b) => a - b);
  const ratio = ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
  return {
    data: { sealing: Object.fromEntries(rates), ratios: { encryptedOverPlain: ratio } },
    tables: [
      {
        title: `calls a second, ${IN_FLIGHT} in flight, ${pairs.length} pairs; median of the pairs ${ratio.toFixed(2)}`,
        heads: ['', 'median', 'least', 'most'],
        rows: NAMES.map((name) => {
          const { median, min, max } = of(name);
          return [name, ...[median, min, max].map((rate) => rate.toFixed(0))];
        }),
      },
    ],
  };
};

/** What `encrypt` costs: the same module with and without it, in one broker. */
export const sealingBenchmark: Scenario = {
  name: 'sealing',
  summary: 'calls of a module that encrypts, and of the same module without that, in pairs',
  run: async ({ rounds = ROUNDS, say }): Promise<Report> => {
    const reaper = startReaper();
    try {
      await using dir = await makeBenchDir();
      const modules = writeModules(dir.path);
      await using broker = await startBenchBroker(
        join(dir.path, 'data'),
        reaper,
        'os',
        modules.flatMap((dir) => ['--module', dir]),
      );
      const nc = await connect({ servers: broker.url });
      try {
        for (const name of NAMES) await rateOf(nc, name, SECONDS);
        const contenders = NAMES.map((name) => ({ name, run: () => rateOf(nc, name, SECONDS) }));
        return report(await inRounds(contenders, rounds, say));
      } finally {
        await nc.close();
      }
    } finally {
      reaper.close();
    }
  },
};
