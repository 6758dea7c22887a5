import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { Plan } from '../../../broker/schedules/plan.js';
import { Schedules } from '../../../broker/schedules/schedules.js';
import { createProducer } from '../../../modules/client/index.js';
import accountsModule from '../../../modules/accounts/index.js';
import type { Fault } from '../../../schemas/errors.js';
import { PRODUCER } from '../../../schemas/producer-requests.js';
import { startBroker } from '../../support/broker.js';
import { failure, success } from '../../support/either.js';
import { createLog, dial } from '../../support/log.js';
import { connectOperator } from '../../support/log-checks.js';
import { startServer } from '../../support/server.js';

const { manifest: accounts } = accountsModule;

/** As docs/reference/protocol.md says it. */
const PRODUCERS = 1_000;

interface Opened {
  readonly epoch?: number;
  readonly error?: Fault;
}

const open = async (nc: NatsConnection, name: string): Promise<Opened> => {
  const body = JSON.stringify({ name, instance: 'i', takeover: true, previous: null });
  return (await nc.request(PRODUCER.open, body, { timeout: 60_000 })).json<Opened>();
};

test('I8 one producer more than an account may have is refused by name, and those that are there and the operator go on', async () => {
  await using broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
  const guest = await connect({ servers: broker.url });
  const operator = await connectOperator(broker.dataDir);
  try {
    await using mine = success(await createProducer(guest, { name: 'mine' })());
    success(await mine.send(accounts, 'deposit', 'alice', { amount: 1 })());
    for (let i = 1; i < PRODUCERS; i += 100) {
      const names = Array.from({ length: Math.min(100, PRODUCERS - i) }, (_, k) => `name-${i + k}`);
      for (const { error } of await Promise.all(names.map((name) => open(guest, name))))
        assert.equal(error, undefined);
    }
    for (const verb of [PRODUCER.open, PRODUCER.fence]) {
      const body = JSON.stringify({ name: 'more', instance: 'i', takeover: true, previous: null });
      const { error } = (await guest.request(verb, body, { timeout: 20_000 })).json<Opened>();
      assert.equal(error?.code, 'OVERLOADED');
      assert.match(
        error?.message ?? '',
        /the account guest has 1000 producers, and the account may have 1000/,
      );
      assert.ok((error?.retryAfterMs ?? 0) > 0);
    }
    assert.equal((await open(guest, 'name-1')).error, undefined);
    success(await mine.send(accounts, 'deposit', 'alice', { amount: 1 })());
    await using theirs = success(await createProducer(operator, { name: 'theirs' })());
    success(await theirs.send(accounts, 'deposit', 'bob', { amount: 1 })());
  } finally {
    await Promise.all([guest.close(), operator.close()]);
  }
});

test('I8 one schedule more than an account may have is refused by name, whoever else has how many', async () => {
  await using server = await startServer({ syncInterval: 'always' });
  await using nc = await dial(server);
  await createLog(nc);
  const jsm = await jetstreamManager(nc);
  const maxOfAccount = 3;
  const make = (): Schedules =>
    new Schedules({
      nc,
      jsm,
      plan: new Plan({ nc, jsm, lastFiring: () => undefined, log: () => undefined }),
      lastFiring: () => undefined,
      onAdded: () => undefined,
      settled: async () => undefined,
      maxOfAccount: () => maxOfAccount,
    });
  const add = (schedules: Schedules, sender: string): ReturnType<ReturnType<Schedules['add']>> =>
    schedules.add({
      address: { module: 'accounts', name: 'deposit', agent: 'alice' },
      sender,
      timing: { kind: 'at', atMs: Date.now() + 3_600_000 },
      data: new TextEncoder().encode('{"amount":5}'),
      headers: {},
    })();
  const step = fc.constantFrom('guest', 'operator', 'cancel guest', 'cancel operator', 'new broker');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const ids: Record<string, string[]> = { guest: [], operator: [] };
      let schedules = make();
      for (const what of steps) {
        const [verb = '', of] = what.split(' ');
        const held = ids[of ?? verb] ?? [];
        if (verb === 'new') schedules = make();
        else if (verb === 'cancel') {
          const id = held.pop();
          if (id !== undefined) success(await schedules.cancel(id)());
        } else {
          const added = await add(schedules, verb);
          if (held.length < maxOfAccount) held.push(success(added).id);
          else {
            const { code, message, retryAfterMs } = failure(added);
            assert.equal(code, 'SCHEDULES_FULL');
            assert.match(
              message,
              new RegExp(`the account ${verb} has 3 schedules .* the account may have 3`),
            );
            assert.ok((retryAfterMs ?? 0) > 0);
          }
        }
      }
      for (const id of Object.values(ids).flat()) success(await schedules.cancel(id)());
    }),
    { numRuns: 15 },
  );
});
