import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { startBroker, tallystick } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { inDeep } from '../../support/form.js';
import { createLog } from '../../support/log.js';
import { soundLog } from '../../support/log-checks.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { balance, bareServer, deposit, keptIn, refusedStart, restore, storeOf } from './two-logs.js';

const itInDeep = inDeep(it);

const OS = ['--durability', 'os'];

interface Lost extends TempDir {
  readonly dataDir: string;
  /** The log as it was when alice had 3. */
  readonly copy: string;
}

/** A data directory whose broker has stopped, with alice at 6, and an older copy of its log. */
const withOlderCopy = async (): Promise<Lost> => {
  const dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const copy = join(dir.path, 'copy');
  for (const amounts of [
    [1, 2],
    [1, 1, 1],
  ]) {
    await using broker = await startBroker({ dataDir, shipped: ['accounts'], args: OS });
    await deposit(broker.url, 'alice', amounts);
    await broker.stop();
    if (!existsSync(copy)) cpSync(storeOf(dataDir), copy, { recursive: true });
  }
  return { ...dir, dataDir, copy };
};

/** What holds once a broker has gone on with the log that is there. */
const goesOn = async (dataDir: string, code: string, expected: number): Promise<string> => {
  await using broker = await startBroker({ dataDir, shipped: ['accounts'], args: OS });
  const said = broker.stderr.filter((line) => line.includes(code));
  assert.match(said[0] ?? '', new RegExp(`\\[log\\] ${code}: `), broker.stderr.join('\n'));
  assert.equal(await balance(broker.url, 'alice'), expected);
  await deposit(broker.url, 'alice', [10]);
  assert.equal(await balance(broker.url, 'alice'), expected + 10);
  await soundLog(dataDir);

  const { losses } = await brokerStatus(dataDir);
  assert.deepEqual(
    losses.map(({ code: found, dir }) => [found, dir]),
    [[code, keptIn(dataDir)[0]]],
  );
  const dir = losses[0]?.dir ?? '';
  for (const kept of ['report.json', 'witness', 'index/data.mdb', 'snapshots/accounts/current']) {
    assert.ok(existsSync(join(dir, kept)), kept);
  }
  const { stdout } = await tallystick(['status'], { dataDir });
  assert.match(stdout, new RegExp(`^lost +\\S+Z ${code}: .*; kept in ${dir}$`, 'm'));
  await broker.stop();
  return dir;
};

describe('I9 a log that lost records while no broker ran', () => {
  let made: Lost;
  before(async () => {
    made = await withOlderCopy();
  });
  after(() => made[Symbol.asyncDispose]());

  /** The same again, to be ruined. */
  const lose = (): Lost => {
    const dir = tempDir();
    const dataDir = join(dir.path, 'data');
    cpSync(made.dataDir, dataDir, { recursive: true });
    return { ...dir, dataDir, copy: made.copy };
  };

  it('I9 an older copy in its place is told from the log that was, and states are those of the log', async () => {
    await using lost = lose();
    const { dataDir, copy } = lost;
    restore(storeOf(dataDir), copy);

    const stopped = await refusedStart(dataDir, [...OS, '--nats-port', '0', '--on-log-loss', 'stop']);
    assert.equal(stopped.code, 1);
    assert.equal(stopped.error.code, 'LOG_SHORTENED');
    const [, end = '', seen = '', gone = '', agreed = ''] =
      /the log ends at (\d+) and was seen up to (\d+): (\d+) records are gone; up to (\d+) it is the log/.exec(
        stopped.error.message,
      ) ?? [];
    assert.equal(Number(seen) - Number(end), Number(gone));
    assert.ok(Number(agreed) > 0 && Number(agreed) <= Number(end), stopped.error.message);
    assert.match(stopped.error.message, /copy of the log back .*--on-log-loss rebuild/);
    assert.deepEqual(keptIn(dataDir), []);
    assert.ok(existsSync(join(dataDir, 'snapshots', 'accounts')));

    const kept = await goesOn(dataDir, 'LOG_SHORTENED', 3);
    // I6: what was folded on is what the log alone gives; and what has been seen to is not told of again.
    rmSync(join(dataDir, 'snapshots'), { recursive: true });
    rmSync(kept, { recursive: true });
    await using again = await startBroker({
      dataDir,
      shipped: ['accounts'],
      args: [...OS, '--on-log-loss', 'stop'],
    });
    assert.equal(await balance(again.url, 'alice'), 13);
    assert.deepEqual((await brokerStatus(dataDir)).losses, []);
    await again.stop();
  });

  itInDeep('I9 an older copy that grew past the log that was is told by the records themselves', async () => {
    await using lost = lose();
    const { dataDir, copy } = lost;
    restore(storeOf(dataDir), copy);
    {
      await using server = await bareServer(storeOf(dataDir));
      const nc = await connect({ servers: server.url });
      // The very commands that were there: only their times differ.
      for (let i = 0; i < 100; i++) {
        await nc.request('cmd.accounts.deposit.alice.guest', '{"amount":1}', { timeout: 10_000 });
      }
      await nc.close();
      await server.kill('SIGTERM');
    }
    const stopped = await refusedStart(dataDir, [...OS, '--nats-port', '0', '--on-log-loss', 'stop']);
    assert.equal(stopped.error.code, 'LOG_DIFFERS');
    assert.match(stopped.error.message, /the record at \d+ is another one than was seen there/);
    await goesOn(dataDir, 'LOG_DIFFERS', 103);
  });

  itInDeep('I9 a stream that was deleted and made again is another log', async () => {
    await using lost = lose();
    const { dataDir } = lost;
    {
      await using server = await bareServer(storeOf(dataDir));
      const nc = await connect({ servers: server.url });
      await (await jetstreamManager(nc)).streams.delete('LOG');
      await createLog(nc);
      await nc.close();
      await server.kill('SIGTERM');
    }
    const stopped = await refusedStart(dataDir, [...OS, '--nats-port', '0', '--on-log-loss', 'stop']);
    assert.equal(stopped.error.code, 'LOG_REPLACED');
    assert.match(stopped.error.message, /is gone: the one that is there was made /);
    await goesOn(dataDir, 'LOG_REPLACED', 0);
  });

  it('I9 a store that is not there is not taken for a first start', async () => {
    await using lost = lose();
    const { dataDir } = lost;
    rmSync(storeOf(dataDir), { recursive: true });
    const stopped = await refusedStart(dataDir, [...OS, '--nats-port', '0', '--on-log-loss', 'stop']);
    assert.equal(stopped.error.code, 'LOG_REPLACED');
    assert.match(stopped.error.message, /is gone: there is none now/);
    await goesOn(dataDir, 'LOG_REPLACED', 0);
  });

  it('I9 snapshots that are ahead are not used, also where nothing else remembers the log', async () => {
    await using lost = lose();
    const { dataDir, copy } = lost;
    restore(storeOf(dataDir), copy);
    rmSync(join(dataDir, 'witness'));
    await using broker = await startBroker({ dataDir, shipped: ['accounts'], args: OS });
    assert.ok(
      broker.stderr.some((line) => /LOG_SHORTENED: the snapshots of accounts stand at \d+/.test(line)),
      broker.stderr.join('\n'),
    );
    assert.equal(await balance(broker.url, 'alice'), 3);
    await broker.stop();
  });
});
