import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect, headers, type NatsConnection } from 'nats';
import { fullText, reserveOf, roomOf } from '../../../broker/streams/log-space.js';
import { HEADER } from '../../../schemas/headers.js';
import type { BrokerStatus } from '../../../schemas/operate.js';
import type { Result } from '../../../schemas/result.js';
import { manifest } from '../../fixtures/modules/slow/manifest.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { inDeep } from '../../support/form.js';
import { soundLog } from '../../support/log-checks.js';
import { writeModule } from '../../support/module-dir.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { connectWith } from '../access/attempts.js';
import { readLoot, writeMallory } from '../access/loot.js';

const testInDeep = inDeep(test);

const MIB = 1024 * 1024;
/** Commands that are open when the log is full. */
const HELD = 60;
const TIMEOUT = { timeout: 60_000 };

const codeOf = (reply: { json: () => unknown }): string => {
  const { status, error } = reply.json() as { status?: string; error?: { code: string } };
  return error?.code ?? status ?? 'ok';
};

type Direction = (nc: NatsConnection, bytes: number) => Promise<string>;

/** Its payload is no amount: the module refuses it, once it is in the log. */
const deposit: Direction = async (nc, bytes) =>
  codeOf(await nc.request('call.accounts.deposit.a', JSON.stringify('x'.repeat(bytes)), TIMEOUT));

/** Every way in which somebody asks for a record that nobody has accepted yet. */
const DIRECTIONS: readonly Direction[] = [
  deposit,
  async (nc, bytes) => {
    const later = headers();
    later.set('Tally-In', '1h');
    const options = { ...TIMEOUT, headers: later };
    return codeOf(
      await nc.request('schedule.accounts.deposit.a', JSON.stringify({ amount: bytes + 1 }), options),
    );
  },
  async (nc, bytes) => {
    const request = { name: `p${bytes % 7}`, instance: 'i', takeover: true, previous: null };
    return codeOf(await nc.request('producer.open', JSON.stringify(request), TIMEOUT));
  },
];

/** Sends commands until none is taken, not even a small one. */
const fill = async (nc: NatsConnection): Promise<void> => {
  for (const bytes of [100_000, 1_000, 10]) {
    let refused = 0;
    while (refused < 50) {
      const codes = await Promise.all(Array.from({ length: 16 }, () => deposit(nc, bytes)));
      assert.deepEqual(
        codes.filter((code) => code !== 'LOG_FULL' && code !== 'PAYLOAD_INVALID'),
        [],
      );
      refused += codes.filter((code) => code === 'LOG_FULL').length;
    }
  }
};

const statusOf = async (dataDir: string): Promise<BrokerStatus['log']> => (await brokerStatus(dataDir)).log;

test('the reserve is a part of the log, and never all of it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 16 * MIB, max: 2 ** 45 }),
      fc.nat(2 ** 40),
      fc.nat(2 ** 40),
      fc.nat(100_000),
      (maxBytes, bytes, comingBytes, openCommands) => {
        const reserve = reserveOf(maxBytes);
        assert.ok(reserve >= 2 * MIB && reserve <= maxBytes / 8);
        const room = roomOf({ bytes, maxBytes, comingBytes, openCommands });
        assert.ok(room <= maxBytes - reserve - bytes - comingBytes);
        assert.equal(roomOf({ bytes, maxBytes: -1, comingBytes, openCommands }), Number.POSITIVE_INFINITY);
      },
    ),
  );
});

test('what a full log says adds up, and ends with what to do', () => {
  const size = fc.integer({ min: 16 * MIB, max: 2 ** 45 });
  fc.assert(
    fc.property(
      size,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(50_000),
      (maxBytes, share, openCommands) => {
        const free = maxBytes - reserveOf(maxBytes);
        const comingBytes = Math.floor((share * free) / 3);
        const bytes = Math.max(0, free - comingBytes - openCommands * 1_024);
        const text = fullText({ bytes, maxBytes, comingBytes, openCommands });
        assert.match(text, /Start the broker with a larger --max-bytes/);
        assert.equal(/conversation list/.test(text), openCommands > 0);
        // Every part is named: together they are why nothing fits.
        const units = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
        const [, ...parts] = [...text.matchAll(/(\d+(?:\.\d+)?) ([KMGT]i)?B\b/g)].map(
          ([, amount, unit = '']) => Number(amount) * units[`${unit}B` as keyof typeof units],
        );
        const sum = parts.reduce((a, b) => a + b, 0);
        const whole = bytes + comingBytes + openCommands * 1_024 + reserveOf(maxBytes);
        assert.ok(Math.abs(sum - whole) <= whole * 0.15, `${text}: ${sum} of ${whole}`);
      },
    ),
    { numRuns: 500 },
  );
});

test('I1 I3 I8 a full log takes nothing new, finishes what it took, reloads, stops and starts', async (t) => {
  await using home = tempDir();
  const dataDir = join(home.path, 'data');
  // It is stopped until the log is full, and is not to be replaced for that.
  const patient = { ...manifest, limits: { hangMs: 600_000 } };
  const slow = await writeModule(join(home.path, 'slow'), 'slow', patient);
  const start = (maxBytes: string) =>
    startBroker({
      dataDir,
      shipped: ['accounts'],
      args: ['--durability', 'os', '--module', slow, '--max-bytes', maxBytes, '--limit', 'guest:log=100%'],
    });
  {
    await using broker = await start('16MiB');
    const nc = await connect({ servers: broker.url });
    const pid = broker.ready.modules.find(({ name }) => name === 'slow')?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    let answered = 0;
    const held = Array.from({ length: HELD }, async (_, i) => {
      const reply = await nc.request(`call.slow.work.a${i % 50}`, JSON.stringify({ i }), TIMEOUT);
      answered += 1;
      return reply.json<Result>().status;
    });

    await t.test('it refuses what is new, from every direction, by name', async () => {
      await fill(nc);
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...DIRECTIONS), fc.nat(100_000), async (direction, bytes) => {
          assert.equal(await direction(nc, bytes), 'LOG_FULL');
        }),
        { numRuns: 60 },
      );
      assert.equal(answered, 0);
      const { refusal, bytes, maxBytes, reserveBytes } = await statusOf(dataDir);
      assert.match(refusal ?? '', /--max-bytes/);
      assert.ok(bytes <= maxBytes - reserveBytes / 2, `${bytes} of ${maxBytes}`);
    });

    await t.test('it answers what it had taken', async () => {
      process.kill(pid, 'SIGCONT');
      assert.deepEqual(new Set(await Promise.all(held)), new Set(['ok']));
      // Results take less than what is kept for them.
      await fill(nc);
    });

    await t.test('modules are reloaded, and the broker drains', async () => {
      const { code, stderr } = await tallystick(['module', 'reload', 'slow'], { dataDir });
      assert.equal(code, 0, stderr);
      await nc.close();
      await broker.stop();
    });
  }
  {
    await using broker = await start('16MiB');
    await t.test('it starts full, and says so', async () => {
      const nc = await connect({ servers: broker.url });
      // What was open is answered by now, and the room that was kept for its results is free again.
      await fill(nc);
      for (const direction of DIRECTIONS) assert.equal(await direction(nc, 1_000), 'LOG_FULL');
      await nc.close();
    });
    await broker.stop();
  }
  await using broker = await start('32MiB');
  await t.test('with more room all goes on, and nothing was lost', async () => {
    const nc = await connect({ servers: broker.url });
    const reply = await nc.request('call.accounts.deposit.a', '{"amount":3}', TIMEOUT);
    assert.equal(reply.json<Result>().status, 'ok');
    await nc.close();
    await soundLog(dataDir);
  });
});

testInDeep(
  'I8 a module that fills the log to its last byte keeps no broker from stopping and starting',
  async () => {
    await using home = tempDir();
    await using dir = tempDir();
    writeMallory(dir.path);
    const dataDir = join(home.path, 'data');
    const start = () =>
      startBroker({
        dataDir,
        shipped: ['accounts'],
        args: ['--durability', 'os', '--module', dir.path, '--max-bytes', '16MiB'],
      });
    {
      await using broker = await start();
      const mallory = await connectWith(broker.url, readLoot(dir.path).seed);
      // Numbered, as a host does: a flood of records without a number is cut off before the log is full.
      const numbered = headers();
      numbered.set(HEADER.id, 'mallory.1.1');
      // The server's own refusal: nobody else can tell a module that writes to the log itself.
      let full = false;
      for (const bytes of [500_000, 20_000, 100]) {
        full = false;
        while (!full) {
          const acks = await Promise.all(
            Array.from({ length: 20 }, () =>
              mallory.request('evt.mallory.seen', new Uint8Array(bytes), { ...TIMEOUT, headers: numbered }),
            ),
          );
          full = acks.some((ack) => ack.json<{ error?: { err_code: number } }>().error?.err_code === 10077);
        }
      }
      await waitFor('the broker to see it', async () => (await statusOf(dataDir)).refusal ?? undefined);
      const nc = await connect({ servers: broker.url });
      for (const direction of DIRECTIONS) assert.equal(await direction(nc, 1_000), 'LOG_FULL');
      await nc.close();
      await mallory.close();
      await broker.stop();
    }
    await using broker = await start();
    assert.match((await statusOf(dataDir)).refusal ?? '', /--max-bytes/);
    await broker.stop();
  },
);
