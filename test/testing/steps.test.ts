import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HEADER } from '../../schemas/headers.js';
import { defineModule, ok, Refused, type StepContext, Type } from '../../modules/entry.js';
import { handleAgain } from '../../replay/diff/handle-again.js';
import type { RecordedCall } from '../../replay/diff/runner-messages.js';
import { compileModule } from '../../modules/sdk/compiled-module.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { specification, startInProcess } from '../../testing/index.js';

/** What the functions of steps do, set by each test. */
let effect: (step: StepContext) => unknown = () => undefined;
/** What a handler does after its step. */
let after: () => void = () => undefined;

const shop = defineModule({
  name: 'shop',
  version: '1.0.0',
  description: 'Charges by steps.',
  state: {},
  actions: {
    charge: {
      input: Type.Object({ name: Type.String(), options: Type.Unknown() }),
      output: Type.Unknown(),
      retry: { attempts: 3, backoffMs: 1, maxBackoffMs: 1 },
      deadlineMs: 1_000,
      run: async (_state, { name, options }, { step }) => {
        const value = await step(name, (about) => effect(about), options as object);
        after();
        return ok({ value: value ?? null });
      },
    },
    nested: {
      input: Type.Object({}),
      output: Type.Unknown(),
      run: async (_state, _input, { step, call, self }) =>
        ok(
          (await step('outer', () =>
            call(self, 'charge', 'other', { name: 'inner', options: {} }),
          )) as unknown,
        ),
    },
  },
});

const codeOf = async (run: () => Promise<unknown>): Promise<string> => {
  try {
    await run();
    return 'ok';
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return `${thrown.code} ${thrown.error.message}`;
  }
};

describe('steps', () => {
  it('give the value of their record, as JSON has it, in the first run and in the next try', async () => {
    await using tally = await startInProcess([shop]);
    const keys: string[] = [];
    effect = ({ key, attempt }) => {
      keys.push(`${key} ${attempt}`);
      return { at: new Date(0), none: undefined, zero: -0, calls: keys.length };
    };
    let runs = 0;
    after = () => {
      runs += 1;
      if (runs < 3) throw new Error('again');
    };
    const saying = tally.agent(shop, 'a').charge({ name: 'card', options: {} });
    for (let tries = 1; tries < 3; tries++) await tally.clock.advance(5);
    const said = await saying;
    assert.deepEqual(said, { value: { at: '1970-01-01T00:00:00.000Z', zero: 0, calls: 1 } });
    assert.equal(runs, 3);
    assert.equal(keys.length, 1);
    const steps = tally.log.filter(({ kind }) => kind === 'step');
    assert.deepEqual(
      steps.map(({ subject, cause, data }) => ({ subject, cause, data })),
      [
        {
          subject: 'step.shop.charge.a',
          cause: 1,
          data: {
            name: 'card',
            status: 'ok',
            value: { at: '1970-01-01T00:00:00.000Z', zero: 0, calls: 1 },
            attempts: 1,
          },
        },
      ],
    );
    after = () => undefined;
    await tally.agent(shop, 'b').charge({ name: 'card', options: {} });
    assert.equal(new Set(keys.map((key) => key.split(' ')[0])).size, 2);
  });

  it('run again after a failure, and fail alike in each run when the attempts are over', async () => {
    await using tally = await startInProcess([shop]);
    let attempts = 0;
    effect = ({ attempt, signal }) => {
      attempts += 1;
      assert.equal(attempt, attempts);
      assert.equal(signal.aborted, false);
      if (attempt < 3) throw new Error(`no ${attempt}`);
      return 'done';
    };
    const options = { attempts: 3, backoffMs: 0 };
    assert.deepEqual(await tally.agent(shop, 'a').charge({ name: 'card', options }), { value: 'done' });
    attempts = 0;
    const refused = await codeOf(() =>
      tally.agent(shop, 'a').charge({ name: 'card', options: { attempts: 2, backoffMs: 0 } }),
    );
    assert.equal(refused, 'STEP_FAILED step card failed at attempt 2: no 2');
    // It is recorded: the action is not tried again for it.
    assert.equal(attempts, 2);
    assert.deepEqual(tally.deadLetters, []);
  });

  it('are late after timeoutMs, and their signal aborts', async () => {
    await using tally = await startInProcess([shop]);
    let aborted = 0;
    effect = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          reject(new Error('aborted'));
        });
        void tally.clock.advance(50);
      });
    const options = { attempts: 2, backoffMs: 0, timeoutMs: 50 };
    const refused = await codeOf(() => tally.agent(shop, 'a').charge({ name: 'card', options }));
    assert.equal(refused, 'STEP_FAILED step card failed at attempt 2: it did not finish within 50 ms');
    assert.equal(aborted, 2);
  });

  it('are refused before anything happens, if name or options cannot be', async () => {
    await using tally = await startInProcess([shop]);
    effect = () => assert.fail('it must not run');
    const names = ['', 'x'.repeat(129), 'a\nb', 'a\u0000'];
    const options = [
      { attempts: 0 },
      { attempts: 1.5 },
      { attempts: 1_001 },
      { backoffMs: -1 },
      { backoffMs: 'x' },
      { timeoutMs: 0 },
      { timeoutMs: 2 ** 31 },
    ];
    const cases = [
      ...names.map((name) => ({ name, options: {} })),
      ...options.map((each) => ({ name: 'card', options: each })),
    ];
    for (const each of cases) {
      const code = await codeOf(() => tally.agent(shop, 'a').charge(each));
      assert.match(code, /^STEP_INVALID /, JSON.stringify(each));
    }
    assert.deepEqual(
      tally.log.filter(({ kind }) => kind === 'step'),
      [],
    );
  });

  it('record that a value has no form in a record, so that its effect does not happen again', async () => {
    await using tally = await startInProcess([shop]);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const deep = Array.from({ length: 2_000 }).reduce<unknown>((inner) => [inner], 0);
    const values = [1n, circle, () => 1, Symbol('x'), 'x'.repeat(983_041), deep];
    for (const value of values) {
      let effects = 0;
      effect = () => {
        effects += 1;
        return value;
      };
      const code = await codeOf(() =>
        tally.agent(shop, 'a').charge({ name: 'card', options: { attempts: 3 } }),
      );
      assert.match(code, /^STEP_INVALID the value of step card .*its effect has happened$/s);
      assert.equal(effects, 1);
    }
    const steps = tally.log.filter(({ kind }) => kind === 'step');
    assert.equal(steps.length, values.length);
  });

  it('make no calls', async () => {
    await using tally = await startInProcess([shop]);
    const code = await codeOf(() => tally.agent(shop, 'a').nested({}));
    assert.match(code, /^STEP_FAILED .*STEP_INVALID: step outer makes a call or a step/);
    assert.equal(tally.log.filter(({ kind }) => kind === 'cmd').length, 1);
  });

  it('run once in a specification, and a handler that makes another one when it runs again fails it', async () => {
    let effects = 0;
    effect = () => {
      effects += 1;
      return effects;
    };
    const noCalls = (): never => assert.fail('it makes no calls');
    const input = { name: 'card', options: { attempts: 2, timeoutMs: 5 } };
    await specification(shop)
      .agent('a')
      .when('charge', input)
      .answering(noCalls)
      .thenDecided({ data: { value: 1 } });
    const other = defineModule({
      ...{ name: 'other', version: '1.0.0', description: 'Is not deterministic.', state: {} },
      actions: {
        act: {
          input: Type.Object({}),
          output: Type.Unknown(),
          run: async (_state, _input, { step }) => ok({ value: await step(`n${Math.random()}`, () => 1) }),
        },
      },
    });
    await assert.rejects(
      specification(other).agent('a').when('act', {}).answering(noCalls).thenDecided({}),
      /makes another step 1/,
    );
  });
});

describe('replay diff with steps', () => {
  const command = {
    ...{ seq: 5, time: '2026-01-01T00:00:00.000Z', timeMs: Date.parse('2026-01-01'), headers: {} },
    subject: 'cmd.shop.charge.a.guest',
    data: Buffer.from(JSON.stringify({ name: 'card', options: {} })),
  };
  const target = { module: 'shop', name: 'charge', agent: 'a' };
  const recorded = (step: RecordedCall['step'] & object): RecordedCall => ({
    ...{ n: 1, target, data: null, answer: undefined, step },
  });
  const compiled = compileModule(shop as unknown as AnyModule);

  it('gives the recorded value, and runs no effect', async () => {
    effect = () => assert.fail('it must not run');
    const again = await handleAgain(compiled, command, {}, [
      recorded({ name: 'card', status: 'ok', value: 7, attempts: 2 }),
    ]);
    assert.ok('outcome' in again);
    assert.deepEqual(JSON.parse(Buffer.from(again.outcome.body).toString()).data, { value: 7 });
    assert.deepEqual(again.notMade, []);
    const error = { code: 'STEP_FAILED', message: 'step card failed at attempt 1: no' } as const;
    const failed = await handleAgain(compiled, command, {}, [
      recorded({ name: 'card', status: 'failed', error, attempts: 1 }),
    ]);
    assert.ok('outcome' in failed && failed.outcome.refusal?.error.code === 'STEP_FAILED');
  });

  it('stops at another step, and at one that the log does not have', async () => {
    const made = { ...target, data: null, step: 'card' };
    for (const [calls, before] of [
      [[], null],
      [[recorded({ name: 'other', status: 'ok', attempts: 1 })], { ...target, data: null, step: 'other' }],
    ] as const) {
      const stopped = await handleAgain(compiled, command, {}, calls);
      assert.deepEqual(stopped, { why: 'call', n: 1, made, recorded: before });
    }
  });
});

it('a step has the headers of its command', async () => {
  await using tally = await startInProcess([shop]);
  effect = () => 1;
  await tally.agent(shop, 'a').charge({ name: 'card', options: {} });
  const [step] = tally.log.filter(({ kind }) => kind === 'step');
  assert.deepEqual([step?.conversation, step?.sender, step?.id], [1, 'shop', 'shop.1.1']);
  assert.equal(HEADER.call, 'Tally-Call');
});
