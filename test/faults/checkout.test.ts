import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { freePort } from '../../system/processes/free-port.js';
import type { Result } from '../../schemas/result.js';
import { success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { processesMentioning } from '../support/processes.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tallystick } from '../support/broker.js';
import { RestartedBroker } from '../support/restarted-broker.js';
import { Seeded } from '../support/seeded.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const ORDERS = byForm({ short: 9, deep: 40, full: 300 });
const KILLS = byForm({ short: 3, deep: 20, full: 200 });
/** Orders on their way at a time. */
const LANES = 20;
const PRICE = 30;
const DELIVERED = 10_000;
const MODULES = join(PROJECT_ROOT, 'examples', 'checkout', 'modules');

interface Money {
  readonly order: string;
  readonly amount: number;
}

/** A bank over HTTP: it does each request once for its key, and is slow now and then. */
const startBank = async (random: Seeded) => {
  const effects = new Map<string, { readonly path: string; readonly order: string }>();
  const charged = new Map<string, number>();
  const wrong: string[] = [];
  const server = createServer(async (request, reply) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { order, amount } = JSON.parse(text) as Money;
    const key = String(request.headers['idempotency-key']);
    const path = request.url ?? '';
    const known = effects.get(key);
    if (known === undefined) {
      effects.set(key, { path, order });
      charged.set(order, path === '/refunds' ? 0 : (charged.get(order) ?? 0) + amount);
    } else if (known.path !== path || known.order !== order) wrong.push(`${key}: ${path} of ${order}`);
    setTimeout(() => reply.end('{}'), random.int(0, 20));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    effects,
    charged,
    wrong,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

type Plan = 'confirm' | 'cancel' | 'too many';

interface Order {
  readonly name: string;
  readonly plan: Plan;
  readonly count: number;
}

/** The reply to a request, by whatever broker lives, however often it has to be sent. */
const ask = (nc: NatsConnection, subject: string, payload = '', key?: string): Promise<unknown> =>
  waitFor(
    `an answer to ${subject}`,
    async () => {
      const all = headers();
      if (key !== undefined) all.set('Tally-Key', key);
      const said = (await nc.request(subject, payload, { timeout: 5_000, headers: all })).json<{
        readonly error?: { readonly retryable?: boolean; readonly code: string };
      }>();
      if (said.error?.retryable === true || said.error?.code === 'RESULT_PENDING')
        throw new Error(JSON.stringify(said.error));
      return said;
    },
    240_000,
  );

/** Runs it for each, some at a time. The results in the order of the items. */
const someAtATime = async <A, B>(
  items: readonly A[],
  run: (item: A) => Promise<B>,
): Promise<readonly B[]> => {
  const results: B[] = [];
  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < items.length; i += LANES) results[i] = await run(items[i] as A);
  };
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i)));
  return results;
};

test('I11 each order is paid, cancelled or refused, and the bank and the stock agree, whatever is killed', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const random = new Seeded(seed);
  await using dir = tempDir();
  await using bank = await startBank(random);
  const port = success(await freePort('127.0.0.1')());
  const dataDir = join(dir.path, 'data');
  const modules = ['stock', 'checkout'].flatMap((name) => ['--module', join(MODULES, `${name}.ts`)]);
  await using broker = new RestartedBroker({
    dataDir,
    shipped: [],
    args: ['--nats-port', String(port), '--durability', 'os', '--cage', 'off', ...modules],
  });
  await broker.now;
  // Each broker has the same port, so the client connects again.
  const nc = await connect({
    servers: `nats://127.0.0.1:${port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  t.after(() => nc.close());
  const set = await tallystick(['config', 'set', 'checkout', 'bank', bank.url], { dataDir });
  assert.equal(set.code, 0, set.stderr);
  await ask(nc, 'call.stock.deliver.lamp', JSON.stringify({ count: DELIVERED }), 'delivery');

  const orders = Array.from({ length: ORDERS }, (_, i): Order => {
    const plan = (['confirm', 'cancel', 'too many'] as const)[i % 3] as Plan;
    return { name: `order-${i}`, plan, count: plan === 'too many' ? DELIVERED * 2 : random.int(1, 4) };
  });
  let answered = 0;
  const run = async ({ name, plan, count }: Order): Promise<Result> => {
    const input = JSON.stringify({ article: 'lamp', count, price: PRICE });
    const sent = (await ask(nc, `cmd.checkout.buy.${name}`, input, name)) as { readonly seq: number };
    assert.ok(sent.seq > 0, JSON.stringify(sent));
    if (plan === 'cancel') await ask(nc, `cancel.${sent.seq}`);
    if (plan === 'confirm') await ask(nc, `signal.checkout.confirmed.${name}`);
    const result = (await ask(nc, `result.${sent.seq}`)) as Result;
    answered += 1;
    return result;
  };

  let kills = 0;
  const killer = async (): Promise<void> => {
    while (kills < KILLS) {
      const { pid } = await broker.now;
      const of = (what: string): number | undefined =>
        processesMentioning(dataDir).find(({ command }) => command.includes(what))?.pid;
      const targets = [pid, of('nats-server'), of('/checkout/'), of('/stock/')];
      const target = random.pick(targets);
      const before = answered;
      const until = performance.now() + random.int(0, 1_500);
      await waitFor('the next kill', () => performance.now() >= until || answered > before + 2, 10_000);
      if (target === undefined) continue;
      try {
        process.kill(target, 'SIGKILL');
        kills += 1;
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const [results] = await Promise.all([someAtATime(orders, run), killer()]);

  const told = orders.map(({ name, plan, count }, i) => ({
    name,
    plan,
    count,
    result: results[i] as Result,
  }));
  let sold = 0;
  for (const { name, plan, count, result } of told) {
    const how = result.status === 'ok' ? 'paid' : result.error.code;
    const allowed = { confirm: ['paid'], cancel: ['CANCELLED'], 'too many': ['OUT_OF_STOCK'] }[plan];
    assert.ok(allowed.includes(how), `${name} (${plan}): ${JSON.stringify(result)}`);
    assert.equal(bank.charged.get(name) ?? 0, how === 'paid' ? count * PRICE : 0, `${name}: ${how}`);
    if (how === 'paid') sold += count;
  }
  assert.deepEqual(bank.wrong, []);
  // Each order is charged under one key, and refunded under one.
  const keys = [...bank.effects.values()].map(({ path, order }) => `${path} ${order}`);
  assert.equal(new Set(keys).size, keys.length);
  // A state follows its result.
  await waitFor('the stock to be what was not sold', async () => {
    const { stdout } = await tallystick(['agent', 'get', 'stock', 'lamp', '--json', '--data', dataDir]);
    assert.equal(JSON.parse(stdout).state.free, DELIVERED - sold, stdout);
    return true;
  });
  // The last kill may have been a moment ago, and copies follow their results.
  await waitFor(
    'the log to be verified clean',
    async () => {
      const { code, stdout, stderr } = await tallystick([
        'replay',
        'verify',
        '--grace',
        '0s',
        '--data',
        dataDir,
      ]);
      if (code !== 0) throw new Error(`${code}: ${stdout.slice(0, 2_000)}${stderr.slice(0, 500)}`);
      return true;
    },
    60_000,
  );
  t.diagnostic(
    `${kills} kills, ${broker.starts} starts of the broker, ${bank.effects.size} effects at the bank`,
  );
});
