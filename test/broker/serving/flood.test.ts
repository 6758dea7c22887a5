import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, errors, type NatsConnection } from 'nats';
import type { Result } from '../../../schemas/result.js';
import { startBroker } from '../../support/broker.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { readAll } from '../../support/log.js';

const CALLS = 400;
/** They wait their turn, and none is forgotten. */
const SILENT_MS = 60_000;
/** As much as a module takes. */
const LARGE = `{"amount":1${' '.repeat(250_000)}}`;

/** A call's answer, or that the server told its caller that there is none, or that none came. */
const ask = async (nc: NatsConnection, subject: string, payload: string): Promise<string> => {
  try {
    const reply = await nc.request(subject, payload, { timeout: SILENT_MS });
    const result = reply.json<Result>();
    return result.status === 'ok' ? 'ok' : result.error.code;
  } catch (error) {
    if (error instanceof errors.TimeoutError) return 'silence';
    if (error instanceof errors.RequestError) return 'told';
    throw error;
  }
};

/** As SDK and command line do: a caller that the server told that nobody takes its call sends it again. */
const askAgain = async (nc: NatsConnection, subject: string, payload: string): Promise<string> => {
  const deadline = performance.now() + SILENT_MS;
  for (;;) {
    const answer = await ask(nc, subject, payload);
    if (answer !== 'told' || performance.now() > deadline) return answer;
  }
};

const counted = (answers: readonly string[]): string =>
  [...new Set(answers)]
    .map((each) => `${answers.filter((answer) => answer === each).length} ${each}`)
    .join(', ');

test('I2 I8 large calls of one guest, however many at once, cost the broker neither its connection to the log nor an epoch', async (t) => {
  await using broker = await startBroker({
    shipped: ['accounts', 'agents', 'orders'],
    args: ['--durability', 'os'],
  });
  const operator = await connectOperator(broker.dataDir);
  const [flooder, other] = await Promise.all([
    connect({ servers: broker.url }),
    connect({ servers: broker.url }),
  ]);
  const epochs = async (): Promise<string[]> =>
    (await readAll(operator, ['epoch.>'])).map(({ seq, subject }) => `${seq} ${subject}`);
  try {
    const before = await epochs();
    const flood = Promise.all(
      Array.from({ length: CALLS }, () => ask(flooder, 'call.accounts.deposit.flooder', LARGE)),
    );
    let isOver = false;
    void flood.finally(() => (isOver = true));
    const others: string[] = [];
    for (let i = 0; i < 20 || !isOver; i++) {
      others.push(await askAgain(other, 'call.accounts.deposit.other', '{"amount":1}'));
      // Its handler calls the other modules, over what no guest's flood is in.
      const order = { item: `nail-${i}`, quantity: 1, unitPrice: 1, customer: 'other' };
      const placed = await askAgain(other, `call.orders.place.order-${i}`, JSON.stringify(order));
      others.push(placed);
    }
    const answers = await flood;
    t.diagnostic(`of ${CALLS}: ${counted(answers)}; of others': ${counted(others)}`);
    assert.ok(answers.includes('ok'));
    assert.ok(!answers.includes('silence'), counted(answers));
    const unanswered = others.filter((each) => each !== 'ok');
    assert.deepEqual(unanswered, []);
    assert.equal(await askAgain(flooder, 'call.accounts.deposit.flooder', '{"amount":1}'), 'ok');
    assert.deepEqual(await epochs(), before);
    const lost = broker.stderr.filter((line) => line.includes('the connection to the server is lost'));
    assert.deepEqual(lost, []);
  } finally {
    await Promise.all([operator, flooder, other].map((nc) => nc.close()));
  }
  await soundLog(broker.dataDir);
});
