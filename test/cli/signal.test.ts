import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectTally } from '../../modules/client/index.js';
import { defineModule, ok, Type } from '../../modules/entry.js';
import { tallystick } from '../support/broker.js';
import { isClean, startStepWorld, json, logOf, resultsOf, sendPlan } from '../faults/step-world.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const stepper = defineModule({
  ...{ name: 'stepper', version: '1.0.0', description: 'Names the module of plans.', state: {} },
  actions: {
    follow: { input: Type.Object({}), output: Type.Object({}), decide: () => ok({}) },
  },
});

describe('signals of people', () => {
  it('come from the command line, the stock client and the SDK, and are in the log with who sent them', async () => {
    await using world = await startStepWorld();
    const { broker, write, operator } = world;
    const { dataDir } = broker;
    const by = async (...args: readonly string[]) => tallystick(['signal', ...args], { dataDir });
    const said = await by('stepper', 'a0', 'one', '{"n":1}', '--json');
    assert.equal(said.code, 0, said.stderr);
    const { seq } = JSON.parse(said.stdout) as { seq: number };
    const second = await by('stepper', 'a0', 'two');
    assert.match(second.stdout, /^signal two is stored at \d+$/m);
    await using tally = await connectTally({ server: broker.url });
    await tally.signal(stepper, 'a0', 'three', { n: 3 });
    const reply = await world.nc.request('signal.stepper.four.a0', '4', { timeout: 10_000 });
    assert.equal(typeof reply.json<{ seq: number }>().seq, 'number');
    const operations = ['one', 'two', 'three', 'four'].map((signal) => ({ signal }));
    await sendPlan(world, 0, write(0, { operations, atOnce: false, end: 'ok' }));
    const records = await resultsOf(world, 1);
    const result = records.find(({ subject }) => subject === 'res.stepper.follow.a0');
    assert.ok(result !== undefined);
    assert.deepEqual(json<{ data: unknown }>(result).data, { said: [{ n: 1 }, null, { n: 3 }, 4] });
    const first = (await logOf(operator)).find((record) => record.seq === seq);
    assert.ok(first !== undefined);
    assert.equal(first.subject, 'signal.stepper.one.a0');
    // The command line has the operator's credential, and a client without one is a guest.
    assert.deepEqual(json(first), { by: 'operator', data: { n: 1 } });
    const trace = await tallystick(['replay', 'trace', String(result.seq)], { dataDir });
    assert.match(trace.stdout, /step 1 .*one/);
    assert.match(trace.stdout, /wake 1 .*"n":1/);
  });

  it('are refused with a typed error, and nothing is stored', async () => {
    await using world = await startStepWorld();
    const { broker, nc, operator } = world;
    const errorOf = async (subject: string, payload: string | Uint8Array): Promise<string> =>
      (await nc.request(subject, payload, { timeout: 10_000 })).json<{ error: { code: string } }>().error
        .code;
    assert.equal(await errorOf('signal.nobody.paid.a0', ''), 'MODULE_UNKNOWN');
    assert.equal(await errorOf('signal.stepper.pa%id.a0', ''), 'SIGNAL_INVALID');
    assert.equal(await errorOf(`signal.stepper.paid.${'a'.repeat(65)}`, ''), 'SIGNAL_INVALID');
    assert.equal(await errorOf('signal.stepper.paid.a0', '{"n":'), 'PAYLOAD_NOT_JSON');
    assert.equal(await errorOf('signal.stepper.paid.a0', `"${'x'.repeat(65_536)}"`), 'PAYLOAD_TOO_LARGE');
    const wrong = await tallystick(['signal', 'stepper', 'a b', 'paid'], { dataDir: broker.dataDir });
    assert.equal(wrong.code, 2);
    const text = await tallystick(['signal', 'stepper', 'a0', 'paid', 'no json'], {
      dataDir: broker.dataDir,
    });
    assert.equal(text.code, 2);
    for (let i = 0; i < 100; i++) await nc.request('signal.stepper.paid.a0', String(i), { timeout: 10_000 });
    assert.equal(await errorOf('signal.stepper.paid.a0', ''), 'SIGNALS_FULL');
    const stored = (await logOf(operator)).filter(({ subject }) => subject.startsWith('signal.'));
    assert.equal(stored.length, 100);
  });

  it('I7 need the grant send, with the name of the signal in the place of the action', async () => {
    await using world = await startStepWorld();
    const { dataDir } = world.broker;
    await using home = tempDir();
    const args = ['token', 'create', 'payer', '--allow', 'send stepper.paid.order-*', '--data', dataDir];
    const created = await tallystick(args, { cwd: home.path });
    assert.equal(created.code, 0, created.stderr);
    const file = join(home.path, 'payer.token');
    const by = (agent: string, name: string) =>
      tallystick(['signal', 'stepper', agent, name, '--token', file, '--json'], {});
    assert.equal((await by('order-1', 'paid')).code, 0);
    for (const [agent, name] of [
      ['order-1', 'cancelled'],
      ['other', 'paid'],
    ] as const) {
      const refused = await by(agent, name);
      assert.equal(refused.code, 1, `${agent} ${name}`);
      assert.match(`${refused.stdout}${refused.stderr}`, new RegExp(`send stepper\\.${name}\\.${agent}`));
    }
    await waitFor('one signal to be in the log, and no other', async () => {
      const signals = (await logOf(world.operator)).filter(({ subject }) => subject.startsWith('signal.'));
      return signals.length === 1 && signals[0]?.subject === 'signal.stepper.paid.order-1';
    });
  });

  it('end a promise once by its id: by the command line, the stock client and the SDK', async () => {
    await using world = await startStepWorld();
    const { broker, write, operator, nc } = world;
    const { dataDir } = broker;
    const operations = [
      { promise: 'first' },
      { promise: 'second' },
      { promise: 'third' },
      { promise: 'fourth' },
      { promise: 'late', timeoutMs: 1 },
    ];
    await sendPlan(world, 0, write(0, { operations, atOnce: false, end: 'ok' }));
    const idOf = (name: string): Promise<string> =>
      waitFor(`the id of the ${name}`, async () => {
        const steps = (await logOf(operator)).filter(({ subject }) => subject.startsWith('step.'));
        const found = steps.map((record) => json<{ name: string; value?: string }>(record));
        return found.find((step) => step.name === name)?.value;
      });
    const first = await idOf('first');
    const said = await tallystick(['promise', 'resolve', first, '{"yes":true}'], { dataDir });
    assert.equal(said.code, 0, said.stderr);
    const again = await tallystick(['promise', 'resolve', first, '{"yes":false}'], { dataDir });
    assert.equal(again.code, 1);
    assert.match(again.stderr, /PROMISE_UNKNOWN/);
    const second = await idOf('second');
    // The sequence and the number alone are no right.
    for (const wrong of [
      second.slice(0, -1),
      `${second.slice(0, -2)}zz`,
      second.replace(/^\d+/, '999'),
      'x',
    ]) {
      const refused = await tallystick(['promise', 'reject', wrong, 'no'], { dataDir });
      assert.match(refused.stderr, /PROMISE_UNKNOWN/, wrong);
    }
    const other = second.slice(0, -1) + (second.endsWith('0') ? '1' : '0');
    const forged = await nc.request(`promise.resolve.${other}`, '1', { timeout: 10_000 });
    assert.equal(forged.json<{ error: { code: string } }>().error.code, 'PROMISE_UNKNOWN');
    const rejected = await tallystick(['promise', 'reject', second, 'too expensive'], { dataDir });
    assert.equal(rejected.code, 0, rejected.stderr);
    await using tally = await connectTally({ server: broker.url });
    await tally.resolvePromise(await idOf('third'), [3]);
    const fourth = await nc.request(`promise.resolve.${await idOf('fourth')}`, '', { timeout: 10_000 });
    assert.deepEqual(fourth.json(), { ok: true });
    const records = await resultsOf(world, 1);
    const result = records.find(({ subject }) => subject === 'res.stepper.follow.a0');
    assert.ok(result !== undefined);
    const expected = [{ yes: true }, 'PROMISE_REJECTED', [3], null, 'PROMISE_TIMEOUT'];
    assert.deepEqual(json<{ data: unknown }>(result).data, { said: expected });
    await isClean(world);
  });
});
