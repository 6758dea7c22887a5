import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { LogIndex } from '../../broker/index/log-index.js';
import { BrokerReader } from '../../broker/reader/broker-reader.js';
import { logEnds } from '../../journal/read/reader-api.js';
import accounts from '../../modules/accounts/index.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { rebuildSnapshots } from '../../replay/index.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startBenchServer } from '../bench/bench-server.js';
import { openProducer } from '../journal/load.js';
import { inRounds, measured } from '../bench/rounds.js';
import type { LookupPart } from './part.js';
import { fillDeposits } from './deposits.js';
import { formatNumber } from '../../text/numbers.js';

const AGENTS = 10_000;
const EVENTS = 1_000_000;
const ROUNDS = 3;

/** The index as the broker of that log would have it, which a rebuild asks where copies need not be read. */
const indexed = async (nc: NatsConnection, dataDir: string): Promise<void> => {
  const ends = await logEnds({ nc, prefix: '$JS.API' });
  if (isLeft(ends)) throw new FaultError(ends.left.fault);
  const { logId, lastSeq } = ends.right;
  const failed = (text: string): never => {
    throw new Error(text);
  };
  const onLost = ({ message }: Fault): never => failed(message);
  const index = new LogIndex({
    nc,
    // It is not started: nothing is stored meanwhile.
    reader: new BrokerReader({ nc, lastSeq, say: failed, onLost }),
    dir: join(dataDir, 'index'),
    logId,
    lastSeq,
    say: failed,
    onLost,
  });
  await index.start();
  await index.close();
};

/** How long it takes to fold the states of one module from a log that has its commands, results and events. */
export const rebuilds: LookupPart = {
  name: 'rebuilds',
  run: async ({ rounds = ROUNDS, records = EVENTS, say }) => {
    const events = Math.min(EVENTS, records);
    await using server = await startBenchServer('os', say);
    await using dir = await makeBenchDir();
    const producer = await openProducer(server.nc, 'os');
    await fillDeposits(server.nc, producer, events, AGENTS, say);
    await producer.close();
    await indexed(server.nc, dir.path);
    const run = async (): Promise<number> => {
      const rebuilt = await rebuildSnapshots({
        nc: server.nc,
        dataDir: dir.path,
        modules: [accounts as unknown as AnyModule],
      })();
      if (isLeft(rebuilt)) throw new FaultError(rebuilt.left);
      const [module] = rebuilt.right.modules;
      if (module?.changes !== events) throw new Error(`${module?.changes} changes were folded of ${events}`);
      await rm(module.path, { recursive: true });
      return rebuilt.right.seconds;
    };
    const seconds =
      (await inRounds([{ name: 'rebuild', run }], rounds, say, (s) => `${s.toFixed(2)} s`)).get('rebuild') ??
      measured([]);
    return {
      data: { agents: AGENTS, events, records: events * 3, seconds },
      tables: [
        {
          title: `states of ${formatNumber(AGENTS)} agents folded from ${formatNumber(events)} events, seconds`,
          heads: ['', 'median', 'lowest', 'highest'],
          rows: [
            [
              'replay rebuild',
              ...[seconds.median, seconds.min, seconds.max].map((value) => value.toFixed(2)),
            ],
          ],
        },
      ],
      ratios: events === EVENTS ? { rebuildSeconds1m: Math.round(seconds.median * 100) / 100 } : {},
    };
  },
};
