import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byForm } from '../support/form.js';
import { defineModule, ok, Refused, reject, Type } from '../../modules/entry.js';
import { specification, startInProcess } from '../../testing/index.js';

type Way = 'all' | 'race' | 'any';

/** What a run of the handler does: which of its operations fails, and in which order they end. */
interface Script {
  readonly way: Way;
  readonly fails: readonly boolean[];
  /** By run: the order in which the operations end. */
  readonly orders: readonly (readonly number[])[];
  /** The runs that throw behind the operations, as a handler does that dies. */
  readonly throws: number;
}

let script: Script = { way: 'all', fails: [], orders: [], throws: 0 };
let run = 0;
/** What each run saw. */
let seen: string[] = [];
/** The order in which functions of steps have run. */
let effects: number[] = [];

/** Resolves behind so many turns of the event loop. */
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resume) => setImmediate(resume));
};

const racers = defineModule({
  name: 'racers',
  version: '1.0.0',
  description: 'Waits for several operations.',
  state: {},
  actions: {
    go: {
      input: Type.Object({}),
      output: Type.Unknown(),
      retry: { attempts: 10, backoffMs: 1, maxBackoffMs: 1 },
      run: async (_state, _input, { step, call, self, all, race, any }) => {
        const order = script.orders[Math.min(run, script.orders.length - 1)] ?? [];
        run += 1;
        // One that loses ends behind its handler, and maybe behind its case.
        const into = effects;
        const operations = script.fails.map((fails, i) =>
          // Each third operation is a call.
          i % 3 === 2
            ? call(self, 'answer', `agent-${i}`, { i, fails })
            : step(`step-${i}`, async () => {
                await turns(3 * order.indexOf(i));
                into.push(i);
                if (fails) throw new Error(`step ${i} fails`);
                return i;
              }),
        );
        const together = { all, race, any }[script.way] as (of: readonly unknown[]) => Promise<unknown>;
        try {
          seen.push(JSON.stringify(await together(operations)));
        } catch (thrown) {
          assert.ok(thrown instanceof Refused, String(thrown));
          seen.push(thrown.error.message);
        }
        if (run <= script.throws) throw new Error('the process dies');
        return ok({ seen: seen.at(-1) as string });
      },
    },
    answer: {
      input: Type.Object({ i: Type.Integer(), fails: Type.Boolean() }),
      output: Type.Integer(),
      decide: (_state, { i, fails }) => (fails ? reject('NO', `call ${i} fails`) : ok(i)),
    },
    wrong: {
      input: Type.Object({ which: Type.Integer() }),
      output: Type.Unknown(),
      run: async (_state, { which }, { step, race, any, all }) => {
        const outside = new Promise<number>((resolve) => setImmediate(() => resolve(1)));
        if (which === 0) await race([step('a', () => 1), outside]);
        if (which === 1) await any([]);
        if (which === 2) await race([]);
        if (which === 3) await all([3]);
        if (which === 4) assert.deepEqual(await all([]), []);
        // Of promises that wait for operations in turn.
        if (which === 5)
          return ok(await race([all([step('a', () => 1), step('b', () => 2)]), step('c', () => turns(9))]));
        return ok('done');
      },
    },
  },
});

const scripts: fc.Arbitrary<Script> = fc
  .tuple(
    fc.constantFrom<Way>('all', 'race', 'any'),
    fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([way, fails, throws]) => {
    const order = fc.shuffledSubarray([...fails.keys()], {
      minLength: fails.length,
      maxLength: fails.length,
    });
    const orders = fc.array(order, { minLength: throws + 1, maxLength: throws + 1 });
    return orders.map((each) => ({ way, fails, throws, orders: each }));
  });

describe('all, race and any', () => {
  it('I11 end alike in each run, in whatever order the operations end then', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (given) => {
        script = given;
        run = 0;
        seen = [];
        effects = [];
        await using tally = await startInProcess([racers]);
        const answer = tally.agent(racers, 'a').go({});
        let isOver = false;
        void answer.finally(() => {
          isOver = true;
        });
        // The pause before each next try passes.
        while (!isOver) {
          await tally.clock.advance(5);
          await turns(1);
        }
        await answer;
        assert.equal(run, script.throws + 1);
        assert.equal(new Set(seen).size, 1, JSON.stringify(seen));
        const { way, fails } = script;
        const failed = fails.indexOf(true);
        const text = (i: number): RegExp =>
          i % 3 === 2 ? new RegExp(`call ${i} fails`) : new RegExp(`step ${i} fails`);
        if (way === 'all' && failed < 0) assert.equal(seen[0], JSON.stringify([...fails.keys()]));
        if (way === 'all' && failed >= 0) assert.match(seen[0] as string, text(failed));
        if (way === 'any' && fails.includes(false)) assert.equal(fails[Number(seen[0])], false);
        if (way === 'any' && !fails.includes(false)) assert.match(seen[0] as string, text(0));
        // The choice is in the log, once, and so is each step.
        const steps = tally.log.filter(({ kind }) => kind === 'step');
        const names = steps.map(({ data }) => (data as { name: string }).name);
        assert.equal(names.filter((name) => name === way).length, way === 'all' ? 0 : 1);
        assert.equal(new Set(names).size, names.length);
        // A step that was not stored when its run died may run once more in each run.
        for (const i of fails.keys()) {
          const times = effects.filter((each) => each === i).length;
          assert.ok(times <= run, `${times} effects of ${i}`);
          if (way === 'all' && i % 3 !== 2) assert.equal(times, 1);
        }
      }),
      { numRuns: byForm({ short: 10, deep: 200, full: 2_000 }) },
    );
  });

  it('take the promises of calls and steps, and of each other, and no others', async () => {
    await using tally = await startInProcess([racers]);
    const wrong = (which: number): Promise<unknown> => tally.agent(racers, 'a').wrong({ which });
    await assert.rejects(wrong(0), /STEP_INVALID: item 2 of race is no promise of a call or a step/);
    await assert.rejects(wrong(1), /STEP_INVALID: any of nothing would wait for ever/);
    await assert.rejects(wrong(2), /STEP_INVALID: race of nothing/);
    await assert.rejects(wrong(3), /STEP_INVALID: item 1 of all/);
    assert.equal(await wrong(4), 'done');
    assert.deepEqual(await wrong(5), [1, 2]);
  });

  it('are known to specifications', async () => {
    const noCalls = (): never => assert.fail('it makes no calls');
    await specification(racers)
      .agent('a')
      .when('wrong', { which: 5 })
      .answering(noCalls)
      .thenDecided({ data: [1, 2] });
  });
});
