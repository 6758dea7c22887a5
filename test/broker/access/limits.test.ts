import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import { MAX_PENDING_BYTES } from '../../../broker/access/limits.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { natsCli } from '../../support/nats-cli.js';
import { type RawGuest, rawGuest } from '../../support/raw-guest.js';
import { waitFor } from '../../support/wait-for.js';

const GUESTS = 4;
const MIB = 1024 * 1024;

const TOO_MANY_CONNECTIONS = /maximum account active connections exceeded/i;
const TOO_MANY_SUBSCRIPTIONS = /maximum subscriptions exceeded/i;

/** Sends so much to a module that nobody has, whatever is answered. */
const sendMebibytes = async (nc: NatsConnection, mebibytes: number): Promise<void> => {
  const data = new Uint8Array(64 * 1024);
  for (let i = 0; i < mebibytes; i++) {
    await Promise.all(
      Array.from({ length: MIB / data.length }, () =>
        nc.request('call.accounts.deposit.load', data, { timeout: 30_000 }),
      ),
    );
  }
};

test('I12 what a guest may take of the server has a limit, and the server says so', async (t) => {
  await using broker = await startBroker({
    shipped: ['accounts'],
    args: ['--durability', 'os', '--max-connections', String(GUESTS)],
  });
  const { url, dataDir } = broker;

  await t.test('one connection more than guests may have is refused aloud; operators get in', async () => {
    const guests: RawGuest[] = [];
    try {
      for (let i = 0; i < GUESTS; i++) guests.push(await rawGuest(url));
      assert.deepEqual(
        guests.map((guest) => guest.isClosed()),
        guests.map(() => false),
      );
      using refused = await rawGuest(url);
      assert.match(refused.heard(), TOO_MANY_CONNECTIONS);
      const { code, stderr } = await natsCli(['req', 'call.accounts.balance.a', '{}'], { url });
      assert.notEqual(code, 0);
      assert.match(stderr, TOO_MANY_CONNECTIONS);
      const { stdout } = await tallystick(['status', '--json'], { dataDir });
      assert.equal((JSON.parse(stdout) as { durability?: string }).durability, 'os');
    } finally {
      for (const guest of guests) guest[Symbol.dispose]();
    }
    await waitFor('room for a guest', async () => {
      using next = await rawGuest(url);
      return next.isClosed() ? undefined : true;
    });
  });

  await t.test(
    'subscriptions of one connection have a limit, whatever they are, and the rest still hears',
    async () => {
      const token = fc.stringMatching(/^[a-z0-9]{1,8}$/);
      const subject = fc
        .tuple(fc.constantFrom('live', '_INBOX'), fc.array(token, { minLength: 1, maxLength: 40 }))
        .map(([first, rest]) => [first, ...rest].join('.'));
      await fc.assert(
        fc.asyncProperty(fc.array(subject, { minLength: 1, maxLength: 20 }), async (subjects) => {
          using guest = await rawGuest(url);
          const tooDeep = subjects.filter((each) => each.split('.').length > 32).length;
          for (const [i, each] of subjects.entries()) guest.send(`SUB ${each} s${i}\r\n`);
          await guest.settled();
          assert.equal(guest.heard().split("-ERR '").length - 1 >= tooDeep, true, guest.heard());
          for (let i = 0; i < 1_000 - subjects.length + tooDeep; i++)
            guest.send(`SUB _INBOX.a.${i} ${i}\r\n`);
          await guest.settled();
          assert.doesNotMatch(guest.heard(), TOO_MANY_SUBSCRIPTIONS);
          guest.send('SUB _INBOX.b 1000\r\n');
          await guest.settled();
          assert.match(guest.heard(), TOO_MANY_SUBSCRIPTIONS);
          assert.equal(guest.isClosed(), false);
          guest.send('PUB call.accounts.balance.a _INBOX.a.1 2\r\n{}\r\n');
          await waitFor('an answer on a subscription that it has', () =>
            /MSG _INBOX\.a\.1 /.test(guest.heard()) ? true : undefined,
          );
        }),
        { numRuns: 5 },
      );
    },
  );

  await t.test('a reader that does not read is let go of, and one that reads gets all', async () => {
    using sleeper = await rawGuest(url);
    sleeper.send('SUB live.> 1\r\n');
    await sleeper.settled();
    sleeper.pause();
    const reader = await connect({ servers: url });
    const sender = await connect({ servers: url });
    try {
      let read = 0;
      reader.subscribe('live.cmd.>', {
        callback: (_, { data }) => {
          // Small ones are from before.
          if (data.length > 1_000) read += data.length;
        },
      });
      await reader.flush();
      // Systems hold some of it too: 4 MiB for who sends and 6 MiB for who reads.
      const mebibytes = MAX_PENDING_BYTES / MIB + 20;
      await sendMebibytes(sender, mebibytes);
      await waitFor('the reader to have all', () => (read === mebibytes * MIB ? true : undefined));
      await waitFor('the sleeper to be let go of', () => {
        // A connection that does not read notices its end when it writes.
        sleeper.send('PING\r\n');
        return sleeper.isClosed();
      });
      assert.ok(sleeper.bytes() < mebibytes * MIB, `${sleeper.bytes()} bytes came`);
    } finally {
      await reader.close();
      await sender.close();
    }
  });

  await t.test('what the server says of one connection does not fill the log of the broker', async () => {
    const said = (): readonly string[] => broker.stderr.filter((line) => line.includes('[nats-server]'));
    using guest = await rawGuest(url);
    for (let i = 0; i < 200; i++) {
      guest.send(
        Array.from({ length: 100 }, (_, n) => `PUB no.${'x'.repeat(200)}.${i}.${n} 0\r\n\r\n`).join(''),
      );
      await guest.settled();
    }
    await waitFor('the broker to say what it left out', () =>
      said().find((line) => /more lines were left out; the last one: .*Publish Violation/.test(line)),
    );
    assert.ok(said().length < 100, `${said().length} lines`);
  });
});
