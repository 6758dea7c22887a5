import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, headers as makeHeaders } from 'nats';
import { FAIL_POINTS, FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import { readLog } from '../../journal/read/reader.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Schedule } from '../../schemas/schedule.js';
import { startBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { checkLog, connectOperator } from '../support/log-checks.js';
import { Seeded } from '../support/seeded.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { DURABILITY, SEED, TIMES } from './kill-options.js';

const POINTS = FAIL_POINTS.filter((point) => point.startsWith('firing.'));
const PER_POINT = TIMES ?? byForm({ short: 1, deep: 2, full: 10 });
const ONCE = 15;
/** The long one is due after most kills, and not at each start. */
const PERIODS = ['1s', '5s'] as const;

/** Commands that schedules sent, by the schedule. */
const sentBySchedules = async (dataDir: string): Promise<ReadonlyMap<string, readonly StoredMessage[]>> => {
  const nc = await connectOperator(dataDir);
  const found = new Map<string, StoredMessage[]>();
  try {
    for await (const message of readLog(nc, { filters: ['cmd.>'] })) {
      const id = message.header(HEADER.schedule);
      if (id !== undefined) found.set(id, [...(found.get(id) ?? []), message]);
    }
  } finally {
    await nc.close();
  }
  return found;
};

const schedule = async (url: string, when: Readonly<Record<string, string>>): Promise<Schedule> => {
  const nc = await connect({ servers: url });
  const headers = makeHeaders();
  for (const [name, value] of Object.entries(when)) headers.set(name, value);
  const reply = await nc.request('schedule.accounts.deposit.alice', '{"amount":1}', {
    headers,
    timeout: 20_000,
  });
  await nc.close();
  const { data } = reply.json<{ data?: Schedule }>();
  assert.ok(data !== undefined, reply.string());
  return data;
};

test('I1 each firing is in the log exactly once, wherever the broker is killed while it fires', async (t) => {
  t.diagnostic(
    `KILLS_SEED=${SEED}, ${PER_POINT} kills at each of ${POINTS.join(', ')}, durability ${DURABILITY}`,
  );
  const random = new Seeded(SEED);
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const failDir = join(dir.path, 'fail');
  mkdirSync(failDir);
  const plans = POINTS.flatMap((point) =>
    Array.from({ length: PER_POINT }, () => {
      const delay = random.pick(['', '', '+0', '+1', '+3']);
      return `${point}@${point === 'firing.ended' ? 1 : random.int(1, 3)}${delay}:kill`;
    }),
  ).sort(() => random.next() - 0.5);
  const start = (plan: string) => {
    writeFileSync(join(failDir, 'broker'), plan);
    return startBroker({
      dataDir,
      shipped: ['accounts'],
      args: ['--durability', DURABILITY],
      env: { [FAIL_VARIABLE]: failDir },
    });
  };
  const once: Schedule[] = [];
  const repeated: Schedule[] = [];
  {
    await using first = await start('');
    for (const period of PERIODS) repeated.push(await schedule(first.url, { 'Tally-Every': period }));
  }
  for (const plan of plans) {
    await using broker = await start('');
    // Some are due together, and some later than the kill.
    for (let i = 0; i < ONCE / plans.length; i++)
      once.push(await schedule(broker.url, { 'Tally-In': random.pick(['1s', '1s', '2s', '3s']) }));
    writeFileSync(join(failDir, 'broker'), plan);
    process.kill(broker.pid, 'SIGUSR2');
    await broker.exited;
    assert.ok(readFileSync(join(failDir, 'fired'), 'utf8').includes(`broker ${plan}`), plan);
  }
  await using last = await start('');
  await waitFor(
    'all schedules to fire',
    async () => {
      const sent = await sentBySchedules(dataDir);
      return once.every(({ id }) => sent.has(id));
    },
    30_000,
  );
  const count = async (id: string): Promise<number> => (await sentBySchedules(dataDir)).get(id)?.length ?? 0;
  for (const { id } of repeated) {
    const before = await count(id);
    await waitFor('the repeated ones to go on', async () => (await count(id)) > before + 1, 20_000);
  }
  const sent = await sentBySchedules(dataDir);
  for (const { id } of once) assert.equal(sent.get(id)?.length, 1, id);
  let firings = 0;
  for (const { id, next, everyMs } of repeated) {
    let due = Date.parse(next);
    for (const message of sent.get(id) ?? []) {
      firings += 1;
      // Each comes when the one before it, or the answer to the request, said that it comes: none before, and none twice.
      assert.ok(
        Date.parse(message.time) >= due,
        `${id} came at ${message.time}, before ${new Date(due).toISOString()}`,
      );
      const after = Date.parse(message.header(HEADER.next) ?? '');
      assert.ok(after > due && (after - due) % (everyMs ?? 0) === 0, `${after} after ${due}`);
      due = after;
    }
  }
  await waitFor('nothing to be wrong with the log', async () => {
    const { findings, unanswered } = await checkLog(dataDir);
    return findings.length === 0 && unanswered.length <= 1;
  });
  t.diagnostic(`${plans.length} kills, ${once.length} single and ${firings} repeated firings, each once`);
  await last.stop();
});
