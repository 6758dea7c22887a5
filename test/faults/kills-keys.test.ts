import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { HEADER } from '../../schemas/headers.js';
import { causeOf } from '../../schemas/record.js';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { connectOperator, soundLog } from '../support/log-checks.js';
import { Seeded } from '../support/seeded.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { DURABILITY, SEED, TIMES } from './kill-options.js';

const ROUNDS = TIMES ?? byForm({ short: 2, deep: 8, full: 40 });
const KEYS_IN_ROUND = 12;
const REQUESTS_OF_KEY = 5;
const POINTS = [
  'gateway.called',
  'gateway.recorded',
  'gateway.answered',
  'gateway.sent',
  'gateway.stored',
  'index.saving',
  'index.saved',
] as const;

/** One request, which its client repeats until it knows what became of it. */
interface Asked {
  readonly key: string;
  readonly verb: 'call' | 'cmd';
  readonly amount: number;
  reply?: Reply;
  tries: number;
}

interface Reply {
  readonly status?: string;
  readonly data?: { readonly balance: number };
  readonly seq?: number;
  readonly error?: { readonly code: string; readonly retryable?: boolean };
}

const isFinal = ({ status, seq, error }: Reply): boolean =>
  seq !== undefined || status === 'ok' || error?.code === 'KEY_REUSED';

/** The agent of a key: its balance tells whether it was paid once. */
const agentOf = (key: string): string => `of-${key}`;

const ask = async (nc: NatsConnection, asked: Asked): Promise<void> => {
  const headers = makeHeaders();
  headers.set(HEADER.key, asked.key);
  asked.tries += 1;
  const subject = `${asked.verb}.accounts.deposit.${agentOf(asked.key)}`;
  const reply = (
    await nc.request(subject, `{"amount":${asked.amount}}`, { headers, timeout: 15_000 })
  ).json<Reply>();
  if (isFinal(reply)) asked.reply = reply;
  else
    assert.ok(
      ['LOG_UNCERTAIN', 'LOG_UNAVAILABLE', 'MODULE_UNAVAILABLE'].includes(reply.error?.code ?? ''),
      JSON.stringify(reply),
    );
};

/** Sends what has no reply yet, all at once; a request that fails is sent again as long as the broker lives. */
const askAll = async (broker: TestBroker, open: readonly Asked[]): Promise<void> => {
  let hasEnded = false;
  void broker.exited.then(() => (hasEnded = true));
  const nc = await connect({ servers: broker.url, reconnect: false }).catch(() => undefined);
  if (nc === undefined) return;
  const each = async (asked: Asked): Promise<void> => {
    while (asked.reply === undefined && !hasEnded && !nc.isClosed())
      await ask(nc, asked).catch((error: unknown) => {
        if ((error as Error).name === 'AssertionError') throw error;
      });
  };
  // What is on its way when the broker ends gets no reply.
  await Promise.race([Promise.all(open.map(each)), broker.exited]);
  await nc.close();
};

const openOf = (all: readonly Asked[], random: Seeded): readonly Asked[] =>
  all.filter(({ reply }) => reply === undefined).sort(() => random.next() - 0.5);

test('I3 the requests of a key are one command with one result, wherever the broker is killed', async (t) => {
  t.diagnostic(`KILLS_SEED=${SEED}, ${ROUNDS} kills, durability ${DURABILITY}`);
  const random = new Seeded(SEED);
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const failDir = join(dir.path, 'fail');
  const fired = join(failDir, 'fired');
  mkdirSync(failDir);
  const start = (plan: string): Promise<TestBroker> => {
    writeFileSync(join(failDir, 'broker'), plan);
    return startBroker({
      dataDir,
      shipped: ['accounts'],
      args: ['--durability', DURABILITY],
      env: { [FAIL_VARIABLE]: failDir },
    });
  };
  const all: Asked[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < KEYS_IN_ROUND; i++) {
      const key = `${round}-${i}`;
      for (let j = 0; j < REQUESTS_OF_KEY; j++) {
        // Some clients use the key for something else.
        const amount = random.int(1, 6) === 1 ? 9 : 5;
        all.push({ key, verb: random.pick(['call', 'call', 'cmd']), amount, tries: 0 });
      }
    }
    // Keys of earlier rounds come again.
    for (let i = 0; i < round * 4; i++) {
      const { key, verb, amount } = random.pick(all);
      all.push({ key, verb, amount, tries: 0 });
    }
    if (random.int(1, 4) === 1) rmSync(join(dataDir, 'index'), { recursive: true, force: true });
    await using broker = await start('');
    const action = random.pick(['kill', 'kill', 'kill', 'cut']);
    const delay = random.pick(['', '', '+0', '+1', '+5']);
    const point = random.pick(POINTS);
    const passing = point.startsWith('index') ? random.int(1, 3) : random.int(1, 25);
    writeFileSync(join(failDir, 'broker'), `${point}@${passing}${delay}:${action}`);
    process.kill(broker.pid, 'SIGUSR2');
    await waitFor('the plan to be read', () => readFileSync(join(failDir, 'broker'), 'utf8') === '');
    await askAll(broker, openOf(all, random));
  }
  await using last = await start('');
  await askAll(last, openOf(all, random));
  const kills = existsSync(fired) ? readFileSync(fired, 'utf8').split('\n').length - 1 : 0;
  assert.equal(
    all.filter(({ reply }) => reply === undefined).length,
    0,
    'every request has its reply after the last start',
  );

  await soundLog(dataDir);
  const commands = new Map<string, { readonly seq: number; readonly amount: number }[]>();
  const balances = new Map<number, number>();
  const nc = await connectOperator(dataDir);
  for await (const message of readLog(nc, { filters: ['cmd.>', 'res.>'] })) {
    const key = message.header(HEADER.key);
    const text = new TextDecoder().decode(message.data);
    if (message.subject.startsWith('res.')) {
      const { data } = JSON.parse(text) as Reply;
      balances.set(causeOf(message) ?? 0, data?.balance ?? Number.NaN);
    } else if (key !== undefined) {
      const { amount } = JSON.parse(text) as { amount: number };
      commands.set(key, [...(commands.get(key) ?? []), { seq: message.seq, amount }]);
    }
  }
  await nc.close();
  let reused = 0;
  for (const { key, verb, amount, reply } of all) {
    const [stored, ...more] = commands.get(key) ?? [];
    assert.ok(stored !== undefined, `${key} was replied to and is not in the log`);
    assert.deepEqual(more, [], `${key} is in the log more than once`);
    if (reply?.error?.code === 'KEY_REUSED') {
      reused += 1;
      assert.notEqual(amount, stored.amount, `${key} is refused, and the log has its payload`);
      continue;
    }
    assert.equal(amount, stored.amount, `${key} is taken for the command of another payload`);
    if (verb === 'cmd') assert.equal(reply?.seq, stored.seq, key);
    else assert.deepEqual([reply?.data?.balance, balances.get(stored.seq)], [amount, amount], key);
  }
  const tries = all.reduce((sum, each) => sum + each.tries, 0);
  t.diagnostic(
    `${commands.size} keys, ${all.length} requests in ${tries} tries, ${reused} refused, ${kills} faults`,
  );
});
