import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect } from 'nats';
import { connectionOf, connectionNumber } from '../../../broker/intake/connection-of.js';
import { Turnstile } from '../../../broker/serving/turnstile.js';
import { type Asking, TURNSTILE_LIMITS } from '../../../broker/serving/waiting-requests.js';
import { manifest } from '../../fixtures/modules/slow/manifest.js';
import { startBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { writeModule } from '../../support/module-dir.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const NO_BOUND = { requests: 1e9, bytes: 1e12 };

const asking = (connection: string, bytes = 100): Asking => ({
  account: 'guest',
  connection,
  line: connection,
  bytes,
});

test('each connection is taken in its order and no more of it than its pace, and all of it in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(200_000)), { maxLength: 200 }),
      fc.integer({ min: 1, max: 8 }),
      async (requests, inFlight) => {
        const turnstile = new Turnstile({ connection: NO_BOUND, account: NO_BOUND });
        const taken = new Map<string, number[]>();
        const running = new Map<string, number>();
        const ends: (() => void)[] = [];
        for (const [i, [name, bytes]] of requests.entries()) {
          const who = asking(name, bytes);
          const refused = turnstile.enter(who, { inFlight }, () => {
            taken.set(name, [...(taken.get(name) ?? []), i]);
            running.set(name, (running.get(name) ?? 0) + 1);
            assert.ok((running.get(name) ?? 0) <= inFlight);
            ends.push(() => {
              running.set(name, (running.get(name) ?? 0) - 1);
              turnstile.leave(who);
            });
          });
          assert.equal(refused, undefined);
        }
        let left = requests.length;
        while (left > 0) {
          await new Promise((resume) => setImmediate(resume));
          for (const end of ends.splice(0)) {
            end();
            left -= 1;
          }
        }
        for (const name of ['a', 'b', 'c']) {
          const sent = requests.flatMap(([from], i) => (from === name ? [i] : []));
          assert.deepEqual(taken.get(name) ?? [], sent);
        }
        assert.deepEqual([...turnstile.waiting()], []);
      },
    ),
    { numRuns: 50 },
  );
});

test('a connection has fewer on their way while another one asks, and more when their answers take long', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 20, max: 60 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      async (requests, amongOthers, isAlone) => {
        const turnstile = new Turnstile({ connection: NO_BOUND, account: NO_BOUND });
        const pace = { inFlight: 16, amongOthers };
        if (!isAlone)
          assert.equal(
            turnstile.enter(asking('b'), pace, () => undefined),
            undefined,
          );
        const begun = performance.now();
        let taken = 0;
        for (let i = 0; i < requests; i++) turnstile.enter(asking('a'), pace, () => (taken += 1));
        while (taken < amongOthers) await new Promise((resume) => setImmediate(resume));
        const longer = Math.ceil((performance.now() - begun) / 25);
        if (!isAlone) assert.ok(taken <= amongOthers + longer, `${taken} in ${longer}`);
        // Nothing is answered: up to its pace it is still taken.
        await waitFor('as many as its pace', () => (taken === 16 ? true : undefined), 10_000);
      },
    ),
    { numRuns: 10 },
  );
});

test('I12 the connections of an account have no more on their way than one may, while another account asks, and take turns', async () => {
  const AMONG = 4;
  const plan = fc.record({
    connections: fc.integer({ min: 2, max: 12 }),
    each: fc.integer({ min: 1, max: 20 }),
    others: fc.integer({ min: 0, max: 20 }),
    isAlone: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ connections, each, others, isAlone }) => {
      // The clock stands, so no answer takes long.
      let clock = 0;
      const turnstile = new Turnstile({ connection: NO_BOUND, account: NO_BOUND }, () => clock);
      const pace = { inFlight: 64, amongOthers: AMONG };
      const taken = new Map<string, number[]>();
      const running: Asking[] = [];
      let ofMany = 0;
      const enter = (account: string, connection: string, i: number): void => {
        const who = {
          account,
          connection: `${account}/${connection}`,
          line: `${account}/${connection} ask m`,
          bytes: 10,
        };
        const fault = turnstile.enter(who, pace, () => {
          taken.set(who.connection, [...(taken.get(who.connection) ?? []), i]);
          running.push(who);
          if (account !== 'many') return;
          ofMany += 1;
          assert.ok(isAlone || ofMany <= AMONG, `${ofMany} on their way`);
        });
        assert.equal(fault, undefined);
      };
      if (!isAlone) enter('other', '1', -1);
      for (let i = 0; i < each; i++) for (let c = 0; c < connections; c++) enter('many', String(c), i);
      for (let i = 0; i < (isAlone ? 0 : others); i++) enter('other', '1', i);
      const all = connections * each + (isAlone ? 0 : others + 1);
      for (let done = 0; done < all; ) {
        await new Promise((resume) => setImmediate(resume));
        // Each connection of the account has its turn: none is two turns ahead of another.
        const counts = Array.from({ length: connections }, (_, c) => taken.get(`many/${c}`)?.length ?? 0);
        if (!isAlone) assert.ok(Math.max(...counts) - Math.min(...counts) <= AMONG + 1, String(counts));
        for (const who of running.splice(0)) {
          if (who.account === 'many') ofMany -= 1;
          turnstile.leave(who);
          done += 1;
        }
        if (isAlone) clock += 30;
      }
      for (const [name, numbers] of taken)
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
          name,
        );
      assert.equal([...taken.values()].flat().length, all);
      assert.deepEqual([...turnstile.waiting()], []);
    }),
    { numRuns: 50 },
  );
});

test('a connection that is alone has as many on their way as are answered in its time, and no more', async () => {
  const LEAST = 8;
  const MOST = 100;
  const plan = fc.record({
    isAlone: fc.boolean(),
    ms: fc.integer({ min: 10, max: 200 }),
    answers: fc.integer({ min: 1, max: LEAST }),
    everyMs: fc.integer({ min: 1, max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ isAlone, ms, answers, everyMs }) => {
      let clock = 0;
      const turnstile = new Turnstile({ connection: NO_BOUND, account: NO_BOUND }, () => clock);
      const pace = { inFlight: LEAST, quick: { ms, inFlight: MOST } };
      const limit = isAlone ? Math.max(LEAST, Math.min(MOST, (answers / everyMs) * ms)) : LEAST;
      let running = 0;
      const enter = (): void => {
        turnstile.enter(asking('a'), pace, () => {
          running += 1;
          assert.ok(running < limit + 1.01, `${running} of ${limit}`);
        });
      };
      for (let i = 0; i < 2 * MOST; i++) enter();
      while (clock < 350) {
        clock += everyMs;
        if (!isAlone) turnstile.enter(asking('b'), { inFlight: 1 }, () => turnstile.leave(asking('b')));
        for (let i = 0; i < answers; i++) {
          running -= 1;
          turnstile.leave(asking('a'));
          enter();
        }
        await new Promise((resume) => setImmediate(resume));
      }
      // On a busy machine a slice of time ends early, and the rest is taken in the next one.
      await waitFor(`${limit} to be on their way`, () => running > limit - 1.01);
    }),
    { numRuns: 100 },
  );
});

test('requests that are answered at once keep their places while another connection asks, and all are taken', async () => {
  const REQUESTS = 200;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 16 }), fc.boolean(), async (inFlight, isAlone) => {
      const turnstile = new Turnstile({ connection: NO_BOUND, account: NO_BOUND });
      const pace = { inFlight, amongOthersMs: 5 };
      if (!isAlone) turnstile.enter(asking('b'), pace, () => undefined);
      const begun = performance.now();
      const who = asking('a');
      let taken = 0;
      for (let i = 0; i < REQUESTS; i++) {
        turnstile.enter(who, pace, () => {
          taken += 1;
          // A timer may be a millisecond early by this clock.
          const turns = 1 + Math.floor((performance.now() - begun) / 4);
          if (!isAlone) assert.ok(taken <= inFlight * turns, `${taken} in ${turns} times ${inFlight}`);
          turnstile.leave(who);
        });
      }
      await waitFor('all of them', () => taken === REQUESTS);
    }),
    { numRuns: 10 },
  );
});

test('who has little waiting is taken, however much waits of its account', () => {
  const requests = fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 2_000 })), { maxLength: 100 });
  fc.assert(
    fc.property(requests, (all) => {
      const small = { requests: 3, bytes: 4_000 };
      const limits = { connection: NO_BOUND, account: { requests: 5, bytes: 1e9 }, small };
      const turnstile = new Turnstile(limits);
      const waiting = new Map<string, { requests: number; bytes: number }>();
      turnstile.enter(asking('first'), { inFlight: 0 }, () => undefined);
      for (const [number, bytes] of all) {
        const name = String(number);
        const own = waiting.get(name) ?? { requests: 0, bytes: 0 };
        const isLittle = own.requests < small.requests && own.bytes + bytes <= small.bytes;
        const before = [...waiting.values()].reduce((sum, each) => sum + each.requests, 1);
        const fault = turnstile.enter(asking(name, bytes), { inFlight: 0 }, () => undefined);
        assert.equal(fault === undefined, isLittle || before < limits.account.requests);
        if (fault === undefined) waiting.set(name, { requests: own.requests + 1, bytes: own.bytes + bytes });
      }
    }),
    { numRuns: 50 },
  );
});

test('the requests for a reply of a connection that closed are taken in their order, and wait for no other one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('gone', 'stays'), fc.boolean(), fc.nat(60_000)), { maxLength: 120 }),
      async (requests) => {
        const turnstile = new Turnstile({ connection: NO_BOUND, account: NO_BOUND });
        const taken = new Map<string, number[]>();
        const sent = new Map<string, number[]>();
        for (const [i, [name, isForReply, bytes]] of requests.entries()) {
          const line = `${name} ${isForReply ? 'ask' : 'send'}`;
          sent.set(line, [...(sent.get(line) ?? []), i]);
          // None of them is ever answered.
          turnstile.enter({ ...asking(name, bytes), line }, { inFlight: 2, isForReply }, () => {
            taken.set(line, [...(taken.get(line) ?? []), i]);
          });
        }
        turnstile.close('gone');
        const all = sent.get('gone ask') ?? [];
        while ((taken.get('gone ask') ?? []).length < all.length)
          await new Promise((resume) => setImmediate(resume));
        assert.deepEqual(taken.get('gone ask') ?? [], all);
        for (const line of ['gone send', 'stays ask', 'stays send'])
          assert.ok((taken.get(line) ?? []).length <= 2, line);
      },
    ),
    { numRuns: 50 },
  );
});

test('what is above the limits of a connection or an account is refused, and others are taken', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 5_000 }), (requests, bytes) => {
      const turnstile = new Turnstile({
        connection: { requests, bytes: 50_000 },
        account: { requests: 60, bytes: 1e9 },
      });
      const enter = (name: string): string | undefined =>
        turnstile.enter(asking(name, bytes), { inFlight: 1 }, () => undefined)?.code;
      enter('a');
      const mayWait = Math.min(requests, Math.floor(50_000 / bytes));
      for (let i = 0; i < mayWait; i++) assert.equal(enter('a'), undefined);
      assert.equal(enter('a'), 'OVERLOADED');
      assert.equal(enter('b'), undefined);
      for (let i = 0; i < 70; i++) enter(`other-${i}`);
      for (let i = 0; i < 70; i++) enter(`other-${i}`);
      assert.ok((turnstile.waiting().get('guest') ?? 0) <= 60);
    }),
    { numRuns: 50 },
  );
});

test('the connection is read from what the server wrote, whatever a sender put before it', () => {
  const server = (id: number, name: string): string =>
    `Nats-Request-Info: ${JSON.stringify({ start: '2026-11-29T01:00:00Z', host: '127.0.0.1', id, acc: 'guest', name })}\r\n\r\n`;
  const forged = fc.constantFrom(
    'Nats-Request-Info: {"id":7}\r\n',
    'Nats-Request-Info: {"start":"x","host":"y","id":7}',
    'A:Nats-Request-InfoNats-Request-Info',
    '\r\n\r\n',
    'Nats-Request-Info: {"',
    '\\"',
  );
  const text = fc.array(fc.oneof(forged, fc.string()), { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, fc.nat(), (before, name, id) => {
      const bytes = Buffer.from(`NATS/1.0\r\n${before}${server(id, name)}`);
      assert.equal(connectionOf(bytes), `${id}@2026-11-29T01:00:00Z`);
      assert.equal(connectionNumber(`guest/${connectionOf(bytes)}`), String(id));
    }),
  );
  assert.equal(connectionOf(new Uint8Array()), '');
});

test('I12 a connection that asks for more than its limit is refused by name, and another one is served', async () => {
  await using home = tempDir();
  // It is stopped for as long as the flood takes, and is not to be replaced for that.
  const patient = { ...manifest, limits: { hangMs: 600_000 } };
  const slow = await writeModule(join(home.path, 'slow'), 'slow', patient);
  await using broker = await startBroker({
    shipped: ['accounts'],
    args: ['--durability', 'os', '--module', slow],
  });
  const pid = broker.ready.modules.find(({ name }) => name === 'slow')?.pid ?? 0;
  const flooder = await connect({ servers: broker.url });
  const other = await connect({ servers: broker.url });
  process.kill(pid, 'SIGSTOP');
  try {
    const refused: { code: string; retryAfterMs?: number }[] = [];
    flooder.subscribe('_INBOX.flood', {
      callback: (_, msg) => {
        const { error } = msg.json<{ error?: { code: string; retryAfterMs?: number } }>();
        if (error !== undefined) refused.push(error);
      },
    });
    for (let i = 0; i < TURNSTILE_LIMITS.connection.requests + 200; i++) {
      flooder.publish('call.slow.work.a', '{"i":1}', { reply: '_INBOX.flood' });
      if (i % 1_000 === 0) await flooder.flush();
    }
    await waitFor('the first refusals', () => (refused.length >= 100 ? true : undefined), 60_000);
    assert.deepEqual(new Set(refused.map(({ code }) => code)), new Set(['OVERLOADED']));
    const { requestsWaiting } = await brokerStatus(broker.dataDir);
    assert.equal(requestsWaiting.guest, TURNSTILE_LIMITS.connection.requests);
    // Neither by its place in the line nor by the limit of the other.
    const reply = await other.request('call.accounts.deposit.b', '{"amount":1}', { timeout: 10_000 });
    assert.equal(reply.json<{ status: string }>().status, 'ok');
    const held = other.request('call.slow.work.b', '{"i":2}', { timeout: 60_000 });
    await flooder.close();
    process.kill(pid, 'SIGCONT');
    assert.equal((await held).json<{ status: string }>().status, 'ok');
  } finally {
    process.kill(pid, 'SIGKILL');
    await flooder.close();
    await other.close();
  }
});
