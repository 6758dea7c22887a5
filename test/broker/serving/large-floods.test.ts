import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect, errors, type NatsConnection } from 'nats';
import { startBroker } from '../../support/broker.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { moduleStatuses } from '../../support/modules.js';
import { waitFor } from '../../support/wait-for.js';
import { type FloodPlan, rawFlood } from '../../support/raw-flood.js';

const MAX_PAYLOAD = 1_048_576;
const EACH_MS = 40;
const CALLS = 30;
/** A call that is not answered by then is one that nobody will answer. */
const SILENT_MS = 30_000;

/** So long the module may take for the commands that the floods leave, on a busy machine. */
const HANDLED_MS = 180_000;

type Answer = 'ok' | 'refused' | 'told' | 'silence';

/** `told`: the server said at once that nobody takes it. */
const ask = async (nc: NatsConnection, subject: string): Promise<Answer> => {
  try {
    const { status } = (await nc.request(subject, '{"amount":1}', { timeout: SILENT_MS })).json<{
      status: string;
    }>();
    return status === 'ok' ? 'ok' : 'refused';
  } catch (error) {
    if (error instanceof errors.TimeoutError) return 'silence';
    if (error instanceof errors.RequestError && error.isNoResponders()) return 'told';
    throw error;
  }
};

const during = async (others: readonly NatsConnection[]): Promise<readonly Answer[]> => {
  const all: Promise<Answer>[] = [];
  for (let i = 0; i < CALLS; i++) {
    for (const nc of others) all.push(ask(nc, `call.accounts.deposit.other-${i}`));
    await pause(EACH_MS);
  }
  return Promise.all(all);
};

const size = fc.oneof(
  fc.integer({ min: 1, max: 4_096 }),
  fc.integer({ min: 1, max: MAX_PAYLOAD }),
  fc.constantFrom(250_000, MAX_PAYLOAD),
);

const floods: fc.Arbitrary<Omit<FloodPlan, 'url'>> = fc.record({
  connections: fc.constantFrom(1, 1, 2, 8, 24),
  sizes: fc.array(size, { minLength: 1, maxLength: 20 }),
  subjects: fc.subarray(
    [
      'call.accounts.deposit.flood',
      'call.accounts.balance.flood-2',
      'cmd.accounts.deposit.flood',
      '$SRV.PING',
    ],
    { minLength: 1 },
  ),
  isReading: fc.boolean(),
});

const counted = (answers: readonly Answer[]): string =>
  (['ok', 'refused', 'told', 'silence'] as const)
    .map((each) => `${answers.filter((answer) => answer === each).length} ${each}`)
    .join(', ');

test('I12 while one guest floods the broker with calls of any size, no call of another guest stays without an answer', async (t) => {
  await using broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
  const { url } = broker;
  const operator = await connectOperator(broker.dataDir);
  const others = [await connect({ servers: url }), await connect({ servers: url }), operator];
  const flooded = async (plan: Omit<FloodPlan, 'url'>): Promise<readonly Answer[]> => {
    let answers: readonly Answer[];
    {
      await using _ = await rawFlood({ url, ...plan });
      answers = await during(others);
    }
    const mean = Math.round(plan.sizes.reduce((sum, each) => sum + each, 0) / plan.sizes.length);
    t.diagnostic(
      `${plan.connections} connections, ${mean} bytes, ${plan.subjects.join(' ')}, ${plan.isReading}: ${counted(answers)}`,
    );
    assert.ok(!answers.includes('silence'), counted(answers));
    // What the flood left behind is refused first.
    for (const nc of others)
      await waitFor('an answer when the flood is over', async () =>
        (await ask(nc, 'call.accounts.deposit.after')) === 'ok' ? true : undefined,
      );
    return answers;
  };
  try {
    const large = { subjects: ['call.accounts.deposit.flood'], isReading: true };
    const answers = await flooded({ ...large, connections: 1, sizes: [250_000] });
    assert.ok(answers.filter((each) => each === 'ok').length * 3 > answers.length, counted(answers));
    await flooded({ ...large, connections: 8, sizes: [MAX_PAYLOAD], isReading: false });
    const flood = fc.asyncProperty(floods, async (plan) => void (await flooded(plan)));
    await fc.assert(flood, { numRuns: 2, endOnFailure: true });
    const closed = broker.stderr.filter((line) => line.includes('the server closed the connection'));
    assert.deepEqual(closed, []);
  } finally {
    await Promise.all(others.map((nc) => nc.close()));
  }
  // The floods leave up to some ten thousand commands of one agent. The module handles them one after the other.
  const handled = async (): Promise<boolean> => (await moduleStatuses(broker)).get('accounts')?.lag === 0;
  await waitFor('all commands to be handled', handled, HANDLED_MS);
  await soundLog(broker.dataDir);
});
