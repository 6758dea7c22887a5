import { rm } from 'node:fs/promises';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Draft, Producer } from '../../broker/journal/index.js';
import accounts from '../../modules/accounts/index.js';
import type { AnyModule } from '../../modules/sdk/module.js';
import { rebuildSnapshots } from '../../replay/index.js';
import { FaultError } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { makeBenchDir } from '../bench-dir.js';
import { startBenchServer } from '../bench-server.js';
import { openProducer } from '../journal/load.js';
import { inRounds, measured } from '../rounds.js';
import type { Part } from './part.js';
import { agentOf, MODULE } from './population.js';

const AGENTS = 10_000;
const EVENTS = 1_000_000;
const ROUNDS = 3;
/** Records on their way at most, while the log is filled. */
const PENDING = 50_000;

const AMOUNT = { amount: 1 };

/** What a deposit leaves in the log: the command, its result with the event in it, and the event's copy. */
const recordsOf = (agent: string, n: number, cause: number): readonly Draft[] => {
  const headers = { 'Tally-Cause': String(cause), 'Tally-Conversation': String(cause) };
  const out = [{ subject: `evt.${MODULE}.deposited.${agent}`, id: `${cause}/1`, data: AMOUNT }];
  return [
    { subject: `cmd.${MODULE}.deposit.${agent}.guest`, data: encodeJson(AMOUNT) },
    {
      subject: `res.${MODULE}.deposit.${agent}`,
      data: encodeJson({ status: 'ok', data: { balance: n }, out }),
      headers,
    },
    {
      subject: `evt.${MODULE}.deposited.${agent}`,
      data: encodeJson(AMOUNT),
      headers: { ...headers, 'Tally-Part': '1/1' },
    },
  ];
};

const fill = async (producer: Producer, events: number, say: (line: string) => void): Promise<void> => {
  let failure: FaultError | undefined;
  for (let n = 0; n < events; n++) {
    // Three records each, and nobody else writes: the sequence of the command is known before.
    for (const draft of recordsOf(agentOf(n % AGENTS), n, 3 * n + 3)) {
      producer.submit(draft, (outcome) => {
        if (isLeft(outcome)) failure ??= new FaultError(outcome.left);
      });
    }
    while (producer.pending > PENDING) await new Promise((resume) => setImmediate(resume));
    if (failure !== undefined) throw failure;
    if ((n + 1) % 250_000 === 0) say(`${(n + 1).toLocaleString('en')} events are in the log`);
  }
  while (producer.pending > 0) await new Promise((resume) => setTimeout(resume, 5));
  if (failure !== undefined) throw failure;
};

/** How long it takes to fold the states of one module from a log that has its commands, results and events. */
export const rebuilds: Part = {
  name: 'rebuilds',
  run: async ({ rounds = ROUNDS, records = EVENTS, say }) => {
    const events = Math.min(EVENTS, records);
    await using server = await startBenchServer('os', say);
    await using dir = await makeBenchDir();
    const producer = await openProducer(server.nc, 'os');
    await fill(producer, events, say);
    await producer.close();
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
          title: `states of ${AGENTS.toLocaleString('en')} agents folded from ${events.toLocaleString('en')} events, seconds`,
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
