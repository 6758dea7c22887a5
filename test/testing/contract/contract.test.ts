import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { connect } from '../../../modules/client/index.js';
import { Refused } from '../../../modules/entry.js';
import { startInProcess } from '../../../testing/index.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { byForm, inDeep } from '../../support/form.js';
import { waitFor } from '../../support/wait-for.js';
import { runScenario, statesOf } from './run-scenario.js';
import { type ContractCall, type ContractStep, scenarios } from './step.js';
import { openInMemory, openOnBroker, type Sender } from './world.js';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures', 'modules');
const fixture = (name: string): readonly string[] => ['--module', join(FIXTURES, name, 'index.js')];

let broker: TestBroker;
let scenario = 0;

before(async () => {
  broker = await startBroker({
    shipped: [],
    args: ['--durability', 'os', ...fixture('purse'), ...fixture('market')],
  });
});
after(() => broker?.[Symbol.asyncDispose]());

/** Takes both worlds through the same steps. All that can be compared must be the same. */
const same = async (steps: readonly ContractStep[], sender?: Sender): Promise<void> => {
  scenario += 1;
  const prefix = `s${scenario}`;
  await using memory = openInMemory(sender);
  const expected = await runScenario(memory, steps, `${prefix}m`);
  await using real = await openOnBroker(broker, sender);
  const found = await runScenario(real, steps, `${prefix}m`, expected.dead.length);
  assert.deepEqual(found.results, expected.results);
  assert.deepEqual(found.records, expected.records);
  assert.deepEqual(found.dead, expected.dead);
  const states = await statesOf(memory, `${prefix}m`);
  // Snapshots are written a moment behind the log.
  await waitFor('the states to be the same', async () =>
    isDeepStrictEqual(await statesOf(real, `${prefix}m`), states),
  ).catch(async () => assert.deepEqual(await statesOf(real, `${prefix}m`), states));
};

const purse = (action: string, agent: string, input: unknown): ContractCall => ({
  module: 'purse',
  action,
  agent,
  input,
});
const market = (action: string, input: unknown, agent = 'east'): ContractCall => ({
  module: 'market',
  action,
  agent,
  input,
});
const call = (asked: ContractCall): ContractStep => ({ do: 'call', call: asked });

/** The code with which the work is refused. */
const codeOf = async (work: Promise<AsyncDisposable>): Promise<string> => {
  const [done] = await Promise.allSettled([work]);
  if (done.status === 'fulfilled') await done.value[Symbol.asyncDispose]();
  const { reason } = done as PromiseRejectedResult;
  assert.ok(reason instanceof Refused, String(reason));
  return reason.code;
};

describe('the log in the process of a test and a real broker', () => {
  it('have the same results, states and records: every kind of outcome', () =>
    same([
      call(purse('add', 'anna', { amount: 30 })),
      call(market('sell', { to: 'anna', price: 10 })),
      call(market('sell', { to: 'bert', price: 10 })),
      call(market('forgive', { to: 'bert', price: 10 })),
      call(market('compare', { people: ['anna', 'bert', 'anna'] })),
      call(market('gift', { to: ['anna', 'bert', 'carl'], amount: 3 })),
      { do: 'send', call: market('begin', { steps: 3 }) },
      call({ module: 'market', action: 'count', input: {} }),
      call(market('chain', { steps: 1 })),
    ]));

  it('have the same dead letters: every fault of a handler', () =>
    same([
      ...['throw', 'late', 'output', 'fold', 'undeclared', 'code', 'self'].map((how) =>
        call(market('break', { how })),
      ),
      call(market('flaky', { name: 'anna', times: 2 })),
      call(market('flaky', { name: 'bert', times: 9 })),
    ]));

  it('have the same records for a guest', () =>
    same(
      [
        call(purse('add', 'anna', { amount: 30 })),
        call(market('sell', { to: 'anna', price: 10 })),
        call(market('chain', { steps: 1 })),
        { do: 'send', call: market('begin', { steps: 1 }) },
        call({ module: 'market', action: 'count', input: {} }),
        call({ ...purse('add', 'anna', { amount: 3 }), key: 'one' }),
        { do: 'schedule', call: purse('add', 'anna', { amount: 3 }), when: { in: '1s' } },
      ],
      'guest',
    ));

  for (const sender of ['x', 'market', 'purse', 'gateway', 'OPERATOR', 'guest~sensor', 'a.b'])
    it(`both refuse a client that wants to be the sender ${sender}`, async () => {
      const before = { ...process.env };
      process.env.NATS_USER = sender;
      process.env.NATS_PASSWORD = '';
      try {
        assert.equal(await codeOf(connect({ server: broker.url })), 'SERVER_REFUSED');
      } finally {
        process.env = before;
      }
      assert.equal(await codeOf(startInProcess([], { sender: sender as Sender })), 'USAGE');
    });

  it('have one command for each key', () =>
    same([
      call({ ...purse('add', 'anna', { amount: 3 }), key: 'one' }),
      call({ ...purse('add', 'anna', { amount: 3 }), key: 'one' }),
      call({ ...purse('add', 'anna', { amount: 4 }), key: 'one' }),
      { do: 'send', call: { ...purse('add', 'anna', { amount: 3 }), key: 'one' } },
      { do: 'schedule', call: { ...purse('add', 'anna', { amount: 5 }), key: 'later' }, when: { in: '1h' } },
      {
        do: 'schedule',
        call: { ...purse('add', 'anna', { amount: 6 }), key: 'later' },
        when: { every: '1h' },
      },
    ]));

  it('send commands later in the same form, and refuse the same schedules', () =>
    same([
      { do: 'schedule', call: purse('add', 'anna', { amount: 3 }), when: { in: '1s' } },
      { do: 'schedule', call: market('begin', { steps: 1 }), when: { atMs: 500 } },
      { do: 'schedule', call: purse('add', 'anna', { amount: 3 }), when: { every: '1h' } },
      {
        do: 'schedule',
        call: purse('add', 'bert', { amount: 3 }),
        when: { cron: '0 4 * * 1', timezone: 'Europe/Berlin' },
      },
      { do: 'schedule', call: purse('add', 'anna', { amount: 0 }), when: { in: '1h' } },
      { do: 'schedule', call: market('chain', { steps: 1 }), when: { in: '1h' } },
      { do: 'schedule', call: purse('add', 'anna', { amount: 1 }), when: { atMs: -1_000 } },
      { do: 'schedule', call: purse('add', 'anna', { amount: 1 }), when: { every: '90ms' } },
      { do: 'schedule', call: purse('add', 'anna', { amount: 1 }), when: { cron: '0 0 31 2 *' } },
      {
        do: 'schedule',
        call: { ...purse('add', 'anna', { amount: 1 }), deadlineMs: 1_000 },
        when: { in: '1h' },
      },
    ]));

  inDeep(it)('have the same results, states and records for generated scenarios', () =>
    fc.assert(
      fc.asyncProperty(scenarios, (steps) => same(steps)),
      {
        numRuns: byForm({ short: 8, deep: 150 }),
        // A step waits for a real broker: a counterexample is made smaller within this time.
        interruptAfterTimeLimit: byForm({ short: 60_000, deep: 600_000 }),
        markInterruptAsFailure: true,
      },
    ),
  );
});
