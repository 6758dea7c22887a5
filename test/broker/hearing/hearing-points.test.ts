import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { FAIL_VARIABLE, FIRED_FILE } from '../../../system/processes/fail-point.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { byForm } from '../../support/form.js';
import { assertHandled, eventsOf, readHeard, writeListener, writeShop } from '../../support/hearing.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { Seeded } from '../../support/seeded.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);

/** Where the broker is killed; the short form draws two of them. */
const POINTS = [
  'hearing.said@1:kill',
  'hearing.delivering@1:kill',
  'hearing.delivered@1:kill',
  'hearing.delivering@2+0:kill',
  'hearing.delivered@2+0:kill',
] as const;

const drawn = (random: Seeded): readonly string[] => {
  const left: string[] = [...POINTS];
  while (left.length > byForm({ short: 2, deep: POINTS.length }))
    left.splice(random.int(0, left.length - 1), 1);
  return left;
};

it('I10 each event is heard once, whatever point of listening the broker is killed at', async (t) => {
  t.diagnostic(`TEST_SEED=${SEED}`);
  await using dir = tempDir();
  const [dataDir, failDir] = [join(dir.path, 'data'), join(dir.path, 'fail')];
  mkdirSync(failDir);
  const on = { 'shop.sold': { action: 'note', from: 'start' } };
  const modules = [writeShop(dir.path), writeListener(dir.path, 'one', on)];
  const lives = drawn(new Seeded(SEED));
  writeFileSync(join(failDir, 'broker'), lives.join('\n'));
  const args = ['--no-shipped', '--durability', 'os', ...modules.flatMap((path) => ['--module', path])];
  const fired = (): number => {
    const path = join(failDir, FIRED_FILE);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
  };
  const publish = async (): Promise<void> => {
    const nc = await connectOperator(dataDir);
    try {
      await nc.request('cmd.shop.sell.ann', '{"times":20}', { timeout: 2_000 });
    } finally {
      await nc.close();
    }
  };
  for (const [life, point] of lives.entries()) {
    const env = { [FAIL_VARIABLE]: failDir };
    // Some points are passed before it is ready.
    const broker = await startBroker({ dataDir, args, env }).catch(() => undefined);
    try {
      await waitFor(`the broker to be killed at ${point}`, async () => {
        if (fired() > life) return true;
        await publish().catch(() => undefined);
        return fired() > life;
      });
      await broker?.exited;
    } finally {
      await broker?.[Symbol.asyncDispose]();
    }
  }
  assert.deepEqual(
    readFileSync(join(failDir, FIRED_FILE), 'utf8').trim().split('\n'),
    lives.map((point) => `broker ${point}`),
  );
  await using broker = await startBroker({ dataDir, args });
  await publish();
  await waitFor('all events to be handled', async () => {
    const log = await readHeard(dataDir);
    const events = eventsOf(log, /^evt\.shop\.sold\./);
    assert.ok(events.length >= 20);
    assertHandled(log, 'one', events);
    return true;
  });
  await soundLog(dataDir);
  const { code, stdout } = await tallystick(['replay', 'verify', '--json'], { dataDir: broker.dataDir });
  assert.equal(code, 0, stdout);
});
