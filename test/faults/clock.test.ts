import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { connect, headers as makeHeaders } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import type { Result } from '../../schemas/result.js';
import { byForm } from '../support/form.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { FaultRig, MODULES } from './fault-rig.js';
import { DURABILITY, SEED } from './kill-options.js';

const HOUR_MS = 3_600_000;
const HANG_MS = 1_000;
const FIXTURE = join(import.meta.dirname, '..', 'fixtures', 'shifted-clock.js');

describe('the clock of broker and modules', () => {
  let dir: TempDir;
  let rig: FaultRig;

  const shift = (ms: number): void => writeFileSync(join(dir.path, 'clock'), String(ms));

  before(async () => {
    dir = tempDir();
    shift(0);
    const fixture = `${pathToFileURL(FIXTURE).href}?file=${join(dir.path, 'clock')}`;
    rig = await FaultRig.start(SEED, DURABILITY, {
      limits: { hangMs: HANG_MS },
      nodeArgs: ['--import', fixture],
      // In a cage a module cannot read the file that says how wrong its clock is.
      args: ['--cage', 'off'],
    });
  });

  after(async () => {
    await rig?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const pids = (): Promise<readonly number[]> => Promise.all(MODULES.map((name) => rig.pidOf(name)));

  const answered = (count: number): Promise<void> => {
    const already = rig.ledger.answered;
    return rig.until(`${count} calls to be answered`, () => rig.ledger.answered >= already + count);
  };

  const callWithin = async (ms: number): Promise<Result> => {
    const nc = await connect({ servers: rig.url });
    const headers = makeHeaders();
    headers.set(HEADER.deadline, new Date(Date.now() + ms).toISOString());
    const reply = await nc.request('call.accounts.balance.agent-0', '{}', { headers, timeout: 30_000 });
    await nc.close();
    return reply.json<Result>();
  };

  test('I1 to I5 set back by an hour, and forward again, it costs nothing: no process is taken for dead or alive by it', async () => {
    const running = await pids();
    await rig.underLoad(async () => {
      for (let round = 0; round < byForm({ short: 2, deep: 6, full: 20 }); round++) {
        await answered(50);
        shift(round % 2 === 0 ? -HOUR_MS : 0);
      }
      await answered(50);
      shift(0);
      await answered(50);
    });
    assert.deepEqual(await pids(), running);
    assert.equal(rig.said.filter((line) => line.includes('silent')).length, 0);
  });

  test('I3 an hour back, a module that hangs is replaced as soon as ever, and a server that is killed is waited for', async () => {
    const stopped = await rig.pidOf('accounts');
    await rig.underLoad(async () => {
      await answered(20);
      shift(-HOUR_MS);
      process.kill(stopped, 'SIGSTOP');
      await rig.until(
        'accounts to be replaced',
        async () => (await rig.pidOf('accounts')) !== stopped,
        30_000,
      );
      rig.killServer();
      await answered(50);
    });
    shift(0);
  });

  test('a deadline is judged by the clock of its module: nothing expires before its time', async () => {
    shift(-HOUR_MS);
    // Five seconds by the clock of the caller, which is right.
    await rig.until('the module to be an hour back', async () => (await callWithin(5_000)).status === 'ok');
    await rig.until('what was due to be taken', async () => (await callWithin(-60_000)).status === 'ok');
    shift(0);
    await rig.until('the clock to be right', async () => (await callWithin(-60_000)).status === 'expired');
    assert.equal((await callWithin(60_000)).status, 'ok');
  });

  test('I1 to I5 the log is whole after all of that', () => rig.verify());
});
