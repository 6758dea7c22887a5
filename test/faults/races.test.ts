import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import type { Step } from '../../schemas/step.js';
import { FAIL_VARIABLE, FIRED_FILE } from '../../system/processes/fail-point.js';
import racer from '../fixtures/modules/racer/index.js';
import { startBroker } from '../support/broker.js';
import { startChargingServer } from '../support/charging-server.js';
import { success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { connectOperator } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import { Seeded } from '../support/seeded.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const POINTS = ['step.begun', 'step.returned', 'step.appended', 'step.stored', 'effect.answered'];

test('I11 what came first stays what came first, whenever the process dies', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const random = new Seeded(seed);
  const lives = Array.from({ length: byForm({ short: 4, deep: 20, full: 100 }) }, (_, life) => {
    // Every handler begins steps. The first life passes its point for certain; without it no other life would come.
    const point = life === 0 ? 'step.begun' : random.pick(POINTS);
    return `${point}@${random.int(1, 15)}:kill`;
  });
  await using dir = tempDir();
  await using server = await startChargingServer(() => random.int(0, 20));
  const failDir = join(dir.path, 'fail');
  mkdirSync(failDir);
  writeFileSync(join(failDir, 'racer'), lives.join('\n'));
  const module = await writeModule(join(dir.path, 'racer'), 'racer', racer.manifest);
  await using broker = await startBroker({
    shipped: ['accounts'],
    args: ['--durability', 'os', '--cage', 'off', '--module', module],
    env: { [FAIL_VARIABLE]: failDir },
  });
  const nc = await connect({ servers: broker.url });
  const operator = await connectOperator(broker.dataDir);
  t.after(() => Promise.all([nc.close(), operator.close()]));
  const handlers = byForm({ short: 20, deep: 100, full: 400 });
  for (let i = 0; i < handlers; i++)
    await nc.request(`cmd.racer.go.a${i}`, JSON.stringify({ url: server.url }), { timeout: 30_000 });
  const records = await waitFor(
    'every handler to be answered',
    async () => {
      const all: StoredMessage[] = [];
      for await (const message of readLog(operator)) all.push(message);
      return all.filter(({ subject }) => subject.startsWith('res.racer.')).length === handlers && all;
    },
    60_000,
  );
  const json = <T>({ data }: StoredMessage): T => JSON.parse(Buffer.from(data).toString()) as T;
  const firsts = new Set<string>();
  for (const result of records.filter(({ subject }) => subject.startsWith('res.racer.'))) {
    const outcome = json<Result>(result);
    assert.equal(outcome.status, 'ok', JSON.stringify(outcome));
    const { first, second } = (outcome as unknown as { data: { first: string; second: string } }).data;
    firsts.add(first);
    const cause = result.header(HEADER.cause);
    const steps = records
      .filter((record) => record.subject.startsWith('step.') && record.header(HEADER.cause) === cause)
      .map((record) => json<Step & { value: unknown }>(record));
    const winner = steps.find(({ name }) => name === 'race');
    assert.equal(['left', 'right', 'call'][Number(winner?.value)], first);
    const next = steps.find(({ name }) => name === 'any');
    assert.equal(`after-${first}-${Number(next?.value) + 1}`, second);
    // The record of what won is before that of the choice.
    assert.ok(
      steps.every(({ name }) => /^(race|any|left|right)$/.test(name) || name.startsWith(`after-${first}`)),
    );
  }
  const fired = readFileSync(join(failDir, FIRED_FILE), 'utf8').trim().split('\n');
  t.diagnostic(`${fired.length} kills, first: ${[...firsts].join(', ')}`);
  assert.ok(fired.length > 0 && firsts.size > 1);
  const { verification } = await waitFor('a clean log', async () => {
    const report = success(await verifyLog({ nc: operator, graceMs: 0 })());
    return report.verification.ok && report;
  });
  assert.equal(verification.ok, true);
});
