import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineModule, ok, Refused, send, Type } from '../../modules/entry.js';
import { openInProcess } from '../../testing/in-process/in-process-tally.js';
import { startInProcess } from '../../testing/index.js';
import market from '../fixtures/modules/market/index.js';
import purse from '../fixtures/modules/purse/index.js';
import { failure } from '../support/either.js';

const refused = async (work: Promise<unknown>): Promise<Refused> => {
  try {
    return assert.fail(`not refused: ${JSON.stringify(await work)}`);
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown;
  }
};

const Nothing = Type.Object({});

/** Waits for the outside world until the test ends it, or sends itself commands for ever. */
const endless = (until: Promise<unknown>) =>
  defineModule({
    name: 'endless',
    version: '1.0.0',
    description: 'Does not end by itself.',
    state: {},
    events: {},
    actions: {
      wait: {
        input: Nothing,
        output: Nothing,
        deadlineMs: 10_000,
        run: async () => {
          await until;
          return ok({});
        },
      },
      loop: {
        input: Nothing,
        output: Nothing,
        decide: (_, __, { agent, self }) => ok({}, {}, [send(self, 'loop', agent, {})]),
      },
    },
  });

const NEVER = new Promise<never>(() => undefined);

describe('a handler that does not end', () => {
  it('is named by idle, with its module, action and agent', async () => {
    let end: (() => void) | undefined;
    const outside = new Promise<void>((resolve) => {
      end = resolve;
    });
    const slow = endless(outside);
    await using tally = await startInProcess([slow], { idleTimeoutMs: 20 });
    const waiting = tally.agent(slow, 'ada').wait({});
    const { code, message } = await refused(tally.idle());
    assert.equal(code, 'OPERATION_PENDING');
    assert.match(
      message,
      /after 20 ms this handler has not ended: endless\.wait of agent ada \(command 1\)\./,
    );
    end?.();
    await tally.idle();
    assert.deepEqual(await waiting, {});
  });

  it('is named by close, which ends the calls that wait for it', async () => {
    const slow = endless(NEVER);
    const tally = await startInProcess([slow], { idleTimeoutMs: 20 });
    const waiting = ['ada', 'bert', 'carl', 'dora'].map((name) => tally.agent(slow, name).wait.try({}));
    const { code, message } = await refused(tally.close());
    assert.equal(code, 'OPERATION_PENDING');
    assert.match(
      message,
      /: endless\.wait of agent ada .*, endless\.wait of agent carl \(command 3\) and 1 more\./,
    );
    for (const each of waiting) assert.equal(failure(await each).code, 'LOG_UNCERTAIN');
    await tally.close();
  });

  it('is named by a test that only disposes', async () => {
    const slow = endless(NEVER);
    const { code } = await refused(
      (async () => {
        await using tally = await startInProcess([slow], { idleTimeoutMs: 20 });
        await tally.agent(slow, 'ada').wait.send({});
      })(),
    );
    assert.equal(code, 'OPERATION_PENDING');
  });

  it('is ended by the clock at the time limit of its action', async () => {
    const slow = endless(NEVER);
    await using tally = await startInProcess([slow]);
    const waiting = tally.agent(slow, 'ada').wait.try({});
    await tally.clock.advance('10s');
    await tally.idle();
    assert.equal(failure(await waiting).code, 'HANDLER_TIMEOUT');
  });

  it('does not stop two waits at once from ending', async () => {
    let end: (() => void) | undefined;
    const slow = endless(
      new Promise<void>((resolve) => {
        end = resolve;
      }),
    );
    await using tally = await startInProcess([slow]);
    await tally.agent(slow, 'ada').wait.send({});
    const both = Promise.all([tally.idle(), tally.idle()]);
    // Both wait for the handler once the event loop has turned some times.
    for (let turn = 0; turn < 10; turn++) await new Promise((resume) => setImmediate(resume));
    end?.();
    await both;
  });
});

describe('commands that follow each other without an end', () => {
  it('are named by the clock and by close, which ends them', async () => {
    const loops = endless(NEVER);
    const { tally, broker } = openInProcess([loops], { idleTimeoutMs: 20 });
    await tally.agent(loops, 'ada').loop.send({});
    for (const wait of [() => tally.clock.advance(1), tally.close]) {
      const { code, message } = await refused(wait());
      assert.equal(code, 'OPERATION_PENDING');
      assert.match(
        message,
        /commands still follow each other: .*the last command is endless\.loop of agent ada/,
      );
    }
    const { steps } = broker.turns;
    for (let turn = 0; turn < 10; turn++) await new Promise((resume) => setImmediate(resume));
    assert.equal(broker.turns.steps, steps);
  });

  for (const idleTimeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5s' as unknown as number])
    it(`have no limit of ${idleTimeoutMs}`, async () => {
      const { code, message } = await refused(startInProcess([purse], { idleTimeoutMs }));
      assert.equal(code, 'USAGE');
      assert.match(message, /idleTimeoutMs .* is no number from 1 to/);
    });
});

describe('moves of the clock', () => {
  it('add up, also if they begin together', async () => {
    await using tally = await startInProcess([market, purse]);
    await tally.agent(purse, 'anna').add.schedule({ amount: 1 }, { every: '1m' });
    await Promise.all([tally.clock.advance('2m'), tally.clock.advance(60_000), tally.clock.advance('1m')]);
    assert.equal(tally.clock.now().toISOString(), '2026-01-01T00:04:00.000Z');
    assert.deepEqual((await tally.state(purse, 'anna'))?.state, { balance: 4 });
  });

  it('that are refused stop no others', async () => {
    await using tally = await startInProcess([purse]);
    const moves = [tally.clock.advance(1), tally.clock.advance(1e300), tally.clock.advance(2)];
    const [, second] = await Promise.allSettled(moves);
    assert.equal(second?.status, 'rejected');
    assert.equal(tally.clock.now().getTime(), Date.parse('2026-01-01T00:00:00.003Z'));
  });

  const wrong: readonly unknown[] = [
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, Number.MAX_SAFE_INTEGER],
    ...['', 'soon', '-1s', '5', '9999999999d', undefined, null, {}, [], 5n, true, new Date(0)],
  ];
  for (const by of wrong)
    it(`are refused by ${typeof by} ${String(by)}, and the clock stands still`, async () => {
      await using tally = await startInProcess([purse]);
      const { code, message } = await refused(tally.clock.advance(by as number));
      assert.equal(code, 'USAGE', message);
      assert.equal(tally.clock.now().toISOString(), '2026-01-01T00:00:00.000Z');
      await tally.agent(purse, 'anna').add({ amount: 1 });
      assert.equal(tally.log[0]?.time, '2026-01-01T00:00:00.000Z');
    });

  it('reach the last moment of the year 9999', async () => {
    const last = '9999-12-31T23:59:59.999Z';
    await using tally = await startInProcess([purse], { now: '9999-12-31T23:59:59.000Z' });
    await tally.clock.advance(999);
    assert.equal(tally.clock.now().toISOString(), last);
    assert.equal((await refused(tally.clock.advance(1))).code, 'USAGE');
  });
});

describe('calls of one handler', () => {
  it('may be under way together in any number without a warning of Node', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    try {
      await using tally = await startInProcess([market, purse]);
      const people = Array.from({ length: 40 }, (_, i) => `p${i}`);
      const { balances } = await tally.agent(market, 'stall').compare({ people });
      assert.equal(balances.length, people.length);
      // Node emits a warning in a later turn.
      await new Promise((resume) => setImmediate(resume));
      assert.deepEqual(warnings, []);
    } finally {
      process.off('warning', note);
    }
  });
});

describe('a value that is no module', () => {
  const made = defineModule({
    name: 'made',
    version: '1.0.0',
    description: 'Made.',
    state: {},
    actions: { go: { input: Nothing, output: Nothing, decide: () => ok({}) } },
  });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const wrong: readonly (readonly [title: string, value: unknown, words: RegExp, code?: string])[] = [
    ['an empty object', {}, /module 1 of startInProcess has no manifest, no actions, no evolve: give what/],
    ['half a module', { manifest: {}, actions: {} }, /module 1 of startInProcess has no evolve/],
    ['the exports of its file', { default: made }, /has no manifest.*: its `default` is a module, give that/],
    ['undefined', undefined, /is undefined: give what `defineModule` returns/],
    ['null', null, /is null/],
    ['a string', './tickets.ts', /is string/],
    ['a function', () => made, /is a function: give the module that it makes/],
    ['a promise', Promise.resolve(made), /is a promise: await it/],
    ['a list', [made], /has no manifest/],
    ['a module with an empty manifest', { ...made, manifest: {} }, /manifest/, 'MANIFEST_INVALID'],
    [
      'a module with a manifest that is no JSON',
      { ...made, manifest: circular },
      /^MANIFEST_INVALID: the manifest of module 1 of startInProcess cannot be JSON: /,
      'MANIFEST_INVALID',
    ],
    ['a BigInt in a manifest', { ...made, manifest: { n: 1n } }, /cannot be JSON/, 'MANIFEST_INVALID'],
  ];
  for (const [title, value, words, expected = 'MODULE_BUILD_FAILED'] of wrong)
    it(`is refused: ${title}`, async () => {
      const { code, message } = await refused(startInProcess([value as typeof made]));
      assert.equal(code, expected, message);
      assert.match(message, words);
    });

  it('is named by its place', async () => {
    const { message } = await refused(startInProcess([made, {} as typeof made]));
    assert.match(message, /module 2 of startInProcess/);
  });

  for (const all of [undefined, null, made, 'tickets', new Set([made])])
    it(`is refused in the place of a list: ${Object.prototype.toString.call(all)}`, async () => {
      const { code, message } = await refused(startInProcess(all as never));
      assert.equal(code, 'USAGE');
      assert.match(message, /takes an array of modules/);
    });
});
