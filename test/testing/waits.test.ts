import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Refused } from '../../modules/entry.js';
import { MAX_KEPT_SIGNALS } from '../../schemas/signal.js';
import { byForm } from '../support/form.js';
import { defineModule, ok, Type } from '../../modules/entry.js';
import { specification, startInProcess } from '../../testing/index.js';

/** How often handlers began. */
let runs = 0;
let bad: unknown;

const dozers = defineModule({
  name: 'dozers',
  version: '1.0.0',
  description: 'Sleeps.',
  state: {},
  actions: {
    doze: {
      input: Type.Object({ ms: Type.Array(Type.Integer()) }),
      output: Type.Array(Type.Unknown()),
      run: async (_state, { ms }, { sleep, step }) => {
        runs += 1;
        const said: unknown[] = [];
        for (const [i, each] of ms.entries()) {
          said.push((await sleep(each)) ?? null);
          said.push(await step(`step-${i}`, () => i));
        }
        return ok(said);
      },
    },
    first: {
      input: Type.Object({ ms: Type.Array(Type.Integer()) }),
      output: Type.Integer(),
      run: async (_state, { ms }, { sleep, race, step }) => {
        runs += 1;
        const named = ms.map((each, i) => ({ i, slept: sleep(each) }));
        await race(named.map(({ slept }) => slept));
        return ok(await step('after', () => ms.indexOf(Math.min(...ms))));
      },
    },
    until: {
      input: Type.Object({ at: Type.String() }),
      output: Type.String(),
      run: async (_state, { at }, { sleepUntil, all, sleep }) => {
        await all([sleepUntil(at), sleepUntil(new Date(at)), sleep(5)]);
        return ok('done');
      },
    },
    pay: {
      input: Type.Object({ timeoutMs: Type.Optional(Type.Integer()) }),
      output: Type.Array(Type.Unknown()),
      run: async (_state, { timeoutMs }, { awaitSignal }) => {
        const said: unknown[] = [];
        for (const name of ['paid', 'paid', 'sent']) {
          try {
            said.push((await awaitSignal(name, timeoutMs === undefined ? {} : { timeoutMs })) ?? null);
          } catch (thrown) {
            if (!(thrown instanceof Refused)) throw thrown;
            said.push(thrown.error.code);
          }
        }
        return ok(said);
      },
    },
    wrong: {
      input: Type.Object({}),
      output: Type.String(),
      run: async (_state, _input, { sleep, sleepUntil, awaitSignal, step }) => {
        try {
          if (bad === 'inside') await step('outer', () => sleep(1));
          else if (bad === 'name') await awaitSignal('a.b');
          else if (bad === 'limit') await awaitSignal('a', { timeoutMs: -1 });
          else if (typeof bad === 'number') await sleep(bad);
          else await sleepUntil(bad as string);
        } catch (thrown) {
          assert.ok(thrown instanceof Refused);
          return ok(`${thrown.error.code} ${thrown.error.message}`);
        }
        return ok('none');
      },
    },
  },
});

const start = '2026-05-01T00:00:00Z';
const startMs = Date.parse(start);

describe('sleep and sleepUntil', () => {
  it('I11 end when their time has come, in the order of their times, and the handler continues behind each once', async () => {
    const durations = fc.array(fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(durations, async (all) => {
        await using tally = await startInProcess([dozers], { now: start });
        runs = 0;
        const ended: number[] = [];
        const asked = all.map(async (ms, i) => {
          const said = await tally.agent(dozers, `a${i}`).doze({ ms });
          ended.push(i);
          assert.deepEqual(
            said,
            ms.flatMap((_, k) => [null, k]),
          );
          assert.equal(
            tally.clock.now().getTime() - startMs >= ms.reduce((sum, each) => sum + each, 0),
            true,
          );
        });
        await tally.clock.advance(5_000);
        await Promise.all(asked);
        // One run more than there are waits.
        assert.equal(
          runs,
          all.reduce((sum, ms) => sum + ms.length + 1, 0),
        );
        const sums = ended.map((i) => (all[i] as number[]).reduce((sum, each) => sum + each, 0));
        assert.deepEqual(
          sums,
          [...sums].sort((a, b) => a - b),
        );
      }),
      { numRuns: byForm({ short: 10, deep: 200 }) },
    );
  });

  it('keep the agent busy, and no other agent', async () => {
    await using tally = await startInProcess([dozers], { now: start });
    const order: string[] = [];
    const doze = async (agent: string, ms: number): Promise<void> => {
      await tally.agent(dozers, agent).doze({ ms: [ms] });
      order.push(`${agent} ${ms}`);
    };
    const all = [doze('a', 1_000), doze('a', 1), doze('b', 500)];
    await tally.clock.advance(3_000);
    await Promise.all(all);
    assert.deepEqual(order, ['b 500', 'a 1000', 'a 1']);
  });

  it('race, and the handler ends with a wait that nobody needs any more', async () => {
    await using tally = await startInProcess([dozers], { now: start });
    const first = tally.agent(dozers, 'a').first({ ms: [60_000, 20, 3_600_000] });
    await tally.clock.advance(25);
    assert.equal(await first, 1);
    await tally.clock.advance('2h');
  });

  it('take a time in each form', async () => {
    await using tally = await startInProcess([dozers], { now: start });
    const done = tally.agent(dozers, 'a').until({ at: '2026-05-01T01:00:00Z' }, { timeoutMs: 3 * 3_600_000 });
    await tally.clock.advance('59m');
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    await tally.clock.advance('1s');
    assert.equal(isDone, false);
    await tally.clock.advance('1h');
    assert.equal(await done, 'done');
  });

  it('refuse what is no time, and waits in a step', async () => {
    await using tally = await startInProcess([dozers], { now: start });
    const wrong: unknown[] = [
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1e17,
      'tomorrow',
      undefined,
      null,
      {},
    ];
    wrong.push(new Date(Number.NaN), '2026-02-30T00:00:00Z', []);
    for (const each of wrong) {
      bad = each;
      const said = await tally.agent(dozers, 'a').wrong({});
      assert.match(said, /^WAIT_INVALID sleep/, String(each));
    }
    for (const each of ['name', 'limit']) {
      bad = each;
      assert.match(await tally.agent(dozers, 'a').wrong({}), /^WAIT_INVALID .*signal/);
    }
    bad = 'inside';
    assert.match(await tally.agent(dozers, 'a').wrong({}), /^STEP_FAILED .*STEP_INVALID/);
  });

  it('are skipped in a specification', async () => {
    runs = 0;
    await specification(dozers)
      .agent('a')
      .when('doze', { ms: [3_600_000, 5] })
      .answering(() => assert.fail('it makes no calls'))
      .thenDecided({ data: [null, 0, null, 1] });
    assert.equal(runs, 2);
  });
});

describe('awaitSignal', () => {
  it('gives each signal to one wait, in the order of both, whether the signal or the wait comes first', async () => {
    // What comes: the handler, or a signal to it, in each order.
    const orders = fc.shuffledSubarray(['go', 'paid 1', 'paid 2', 'sent 3'], { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        await using tally = await startInProcess([dozers], { now: start });
        const sent: number[] = [];
        let said: Promise<unknown> | undefined;
        for (const what of order) {
          if (what === 'go') said = tally.agent(dozers, 'a').pay({});
          else {
            const [name = '', n] = what.split(' ');
            if (name === 'paid') sent.push(Number(n));
            await tally.signal(dozers, 'a', name, Number(n));
            // Nothing of it is for another agent.
            await tally.signal(dozers, 'b', name, 9);
          }
          await tally.idle();
        }
        assert.deepEqual(await said, [...sent, 3]);
        const wakes = tally.log.filter(({ kind }) => kind === 'wake');
        assert.equal(wakes.length, 3);
      }),
      { numRuns: byForm({ short: 12, deep: 100 }) },
    );
  });

  it('throws SIGNAL_TIMEOUT when its time is over, and a later signal is kept for the next wait', async () => {
    await using tally = await startInProcess([dozers], { now: start });
    const said = tally.agent(dozers, 'a').pay({ timeoutMs: 1_000 });
    await tally.clock.advance(1_500);
    await tally.signal(dozers, 'a', 'sent', null);
    await tally.signal(dozers, 'a', 'paid');
    await tally.clock.advance(5_000);
    assert.deepEqual(await said, ['SIGNAL_TIMEOUT', null, null]);
  });

  it('keeps so many signals of a name, and refuses more', async () => {
    await using tally = await startInProcess([dozers], { now: start });
    for (let i = 0; i < MAX_KEPT_SIGNALS; i++) await tally.signal(dozers, 'a', 'paid', i);
    await assert.rejects(tally.signal(dozers, 'a', 'paid'), { code: 'SIGNALS_FULL' });
    await assert.rejects(tally.signal(dozers, 'a b', 'paid'), { code: 'SIGNAL_INVALID' });
    await tally.signal(dozers, 'a', 'sent');
    assert.deepEqual(await tally.agent(dozers, 'a').pay({}), [0, 1, null]);
  });

  it('is scripted in a specification', async () => {
    const noCalls = (): never => assert.fail('it makes no calls');
    const paying = specification(dozers).agent('a').when('pay', { timeoutMs: 5 });
    await paying.answering(noCalls, { paid: [{ by: 'card' }] }).thenDecided({
      data: [{ by: 'card' }, 'SIGNAL_TIMEOUT', 'SIGNAL_TIMEOUT'],
    });
    const endless = specification(dozers).agent('a').when('pay', {});
    await assert.rejects(
      endless.answering(noCalls, { paid: [1, 2] }).thenDecided({}),
      /awaits signal 1 of sent, and 0 come/,
    );
  });
});

const askers = defineModule({
  ...{ name: 'askers', version: '1.0.0', description: 'Asks by promises.', state: {} },
  actions: {
    ask: {
      input: Type.Object({ fails: Type.Boolean(), timeoutMs: Type.Optional(Type.Integer()) }),
      output: Type.Array(Type.Unknown()),
      run: async (_state, { fails, timeoutMs }, { createPromise, step }) => {
        const options = timeoutMs === undefined ? {} : { timeoutMs };
        const { id, settled } = await createPromise(options);
        const told = await step('tell', () => id);
        // A rejected promise that nobody awaits does not end the process.
        if (fails) return ok([told]);
        try {
          return ok([told, (await settled) ?? null]);
        } catch (thrown) {
          if (!(thrown instanceof Refused)) throw thrown;
          return ok([told, `${thrown.error.code} ${thrown.error.message}`]);
        }
      },
    },
  },
});

describe('createPromise', () => {
  const toldIn = (log: readonly { kind: string; data: unknown }[]): string => {
    const step = log.findLast(
      ({ kind, data }) => kind === 'step' && (data as { name: string }).name === 'tell',
    );
    assert.ok(step !== undefined);
    return (step.data as { value: string }).value;
  };

  it('gives an id that ends the promise once, and the same id in each run', async () => {
    await using tally = await startInProcess([askers], { now: start });
    for (const end of ['resolve', 'reject', 'late'] as const) {
      const said = tally.agent(askers, end).ask({ fails: false, timeoutMs: 1_000 });
      await tally.idle();
      const id = toldIn(tally.log);
      await assert.rejects(tally.resolvePromise(id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))), {
        code: 'PROMISE_UNKNOWN',
      });
      if (end === 'resolve') await tally.resolvePromise(id, { yes: 1 });
      if (end === 'reject') await tally.rejectPromise(id, 'too late');
      await tally.clock.advance(2_000);
      const expected = {
        resolve: { yes: 1 },
        reject: 'PROMISE_REJECTED too late',
        late: /^PROMISE_TIMEOUT /,
      }[end];
      const [told, value] = (await said) as [string, unknown];
      assert.equal(told, id);
      if (expected instanceof RegExp) assert.match(value as string, expected);
      else assert.deepEqual(value, expected);
      await assert.rejects(tally.resolvePromise(id), { code: 'PROMISE_UNKNOWN' });
    }
  });

  it('is over with its handler', async () => {
    await using tally = await startInProcess([askers], { now: start });
    const [id] = (await tally.agent(askers, 'a').ask({ fails: true })) as [string];
    await assert.rejects(tally.rejectPromise(id), { code: 'PROMISE_UNKNOWN' });
  });

  it('has the id promise-1 in a specification, and its value is scripted', async () => {
    const asking = specification(askers).agent('a').when('ask', { fails: false, timeoutMs: 5 });
    const noCalls = (): never => assert.fail('it makes no calls');
    await asking.answering(noCalls, { 'promise-1': [7] }).thenDecided({ data: ['promise-1', 7] });
    const late = specification(askers).agent('a').when('ask', { fails: false, timeoutMs: 5 });
    await late.answering(noCalls).thenDecided({
      data: ['promise-1', 'SIGNAL_TIMEOUT the signal promise-1 did not come in time'],
    });
  });
});
