import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Refused } from '../../modules/entry.js';
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
    wrong: {
      input: Type.Object({}),
      output: Type.String(),
      run: async (_state, _input, { sleep, sleepUntil, step }) => {
        try {
          if (bad === 'inside') await step('outer', () => sleep(1));
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
      { numRuns: byForm({ short: 20, deep: 200 }) },
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
