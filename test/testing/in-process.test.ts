import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineModule, ok, Refused, Type } from '../../modules/entry.js';
import { startInProcess } from '../../testing/index.js';
import market from '../fixtures/modules/market/index.js';
import purse from '../fixtures/modules/purse/index.js';
import { failure } from '../support/either.js';

const start = () => startInProcess([market, purse]);

const code = async (work: Promise<unknown>): Promise<string> => {
  try {
    return assert.fail(`not refused: ${JSON.stringify(await work)}`);
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown.code;
  }
};

describe('modules in one process', () => {
  it('handle calls, and calls of handlers, and keep their states', async () => {
    await using tally = await start();
    await tally.agent(purse, 'anna').add({ amount: 30 });
    assert.deepEqual(await tally.agent(market, 'stall').sell({ to: 'anna', price: 10 }), { left: 20 });
    assert.deepEqual((await tally.state(market, 'stall'))?.state, { sold: 1, names: ['anna'] });
    assert.deepEqual((await tally.state(purse, 'anna'))?.state, { balance: 20 });
    assert.equal(await tally.state(purse, 'bert'), undefined);
    assert.deepEqual(
      tally.log.map(({ seq, kind, subject, sender, cause, conversation, data }) => [
        ...[seq, kind, subject, sender, cause, conversation],
        kind === 'res' ? (data as { status: string }).status : data,
      ]),
      [
        [1, 'cmd', 'cmd.purse.add.anna.guest', 'guest', null, 1, { amount: 30 }],
        [2, 'res', 'res.purse.add.anna', 'purse', 1, 1, 'ok'],
        [3, 'evt', 'evt.purse.added.anna', 'purse', 1, 1, { amount: 30 }],
        [4, 'cmd', 'cmd.market.sell.stall.guest', 'guest', null, 4, { to: 'anna', price: 10 }],
        [5, 'cmd', 'cmd.purse.take.anna.market', 'market', 4, 4, { amount: 10 }],
        [6, 'res', 'res.purse.take.anna', 'purse', 5, 4, 'ok'],
        [7, 'evt', 'evt.purse.taken.anna', 'purse', 5, 4, { amount: 10 }],
        [8, 'res', 'res.market.sell.stall', 'market', 4, 4, 'ok'],
        [9, 'evt', 'evt.market.noted.stall', 'market', 4, 4, { text: 'anna asks' }],
        [10, 'evt', 'evt.market.sold.stall', 'market', 4, 4, { to: 'anna', price: 10 }],
      ],
    );
    assert.deepEqual(new Set(tally.log.map(({ time }) => time)), new Set(['2026-01-01T00:00:00.000Z']));
  });

  it('refuse with the codes of the action and of the table', async () => {
    await using tally = await start();
    const stall = tally.agent(market, 'stall');
    const why = failure(await stall.sell.try({ to: 'anna', price: 1 }));
    assert.deepEqual([why.code, why.status, why.message], ['EMPTY', 'rejected', 'EMPTY: there are 0']);
    assert.equal(await code(stall.sell({ to: 'anna', price: 0 })), 'PAYLOAD_INVALID');
    assert.equal(await code(stall.chain({ steps: 1 })), 'CALLER_FORBIDDEN');
    assert.equal(await code(tally.agent(market, 'no name').begin({ steps: 0 })), 'NAME_INVALID');
    await using other = await startInProcess([purse]);
    assert.equal(await code(other.agent(market, 'stall').begin({ steps: 0 })), 'MODULE_UNKNOWN');
    assert.equal(await code(other.agent(market, 'stall').begin.send({ steps: 0 })), 'MODULE_UNKNOWN');
    assert.equal(other.log.length, 0);
  });

  it('handle what results cause, until nothing is left to do', async () => {
    await using tally = await start();
    const { seq } = await tally.agent(market, 'stall').begin.send({ steps: 3 });
    await tally.agent(market, 'stall').gift({ to: ['anna', 'bert'], amount: 2 });
    await tally.idle();
    assert.equal(seq, 1);
    assert.equal(
      tally.log.filter(({ name, conversation }) => name === 'noted' && conversation === seq).length,
      4,
    );
    assert.deepEqual((await tally.state(purse, 'bert'))?.state, { balance: 2 });
  });

  it('give the same log for the same calls', async () => {
    const run = async () => {
      await using tally = await start();
      const people = ['anna', 'bert', 'carl'];
      await Promise.all(people.map((name) => tally.agent(purse, name).add({ amount: 20 })));
      await Promise.allSettled(
        people.flatMap((name) => [
          tally.agent(market, 'stall').sell({ to: name, price: 15 }),
          tally.agent(market, name).compare({ people }),
          tally.agent(market, name).begin({ steps: 2 }),
        ]),
      );
      await tally.idle();
      return tally.log;
    };
    const first = await run();
    assert.ok(first.length > 60, `${first.length}`);
    assert.deepEqual(await run(), first);
  });
});

describe('the clock of a test', () => {
  it('fires schedules at their times, and no schedule fires before', async () => {
    await using tally = await startInProcess([market, purse], { now: '2026-03-29T00:30:00Z' });
    const anna = tally.agent(purse, 'anna');
    const every = await anna.add.schedule({ amount: 1 }, { every: '10m' });
    assert.deepEqual([every.id, every.next], ['schedule-1', '2026-03-29T00:40:00.000Z']);
    await anna.add.schedule({ amount: 100 }, { in: '25m' });
    await tally.module(market).count.schedule({}, { cron: '30 2 * * *', timezone: 'Europe/Berlin' });
    await tally.idle();
    assert.equal(tally.log.length, 0);
    await tally.clock.advance('1h');
    const fired = tally.log.filter(({ kind }) => kind === 'cmd');
    assert.deepEqual(
      fired.map(({ time, name }) => `${time.slice(11, 16)} ${name}`),
      [
        '00:40 add',
        '00:50 add',
        '00:55 add',
        '01:00 count',
        '01:00 add',
        '01:10 add',
        '01:20 add',
        '01:30 add',
      ],
    );
    assert.deepEqual((await tally.state(purse, 'anna'))?.state, { balance: 106 });
    assert.equal(tally.clock.now().toISOString(), '2026-03-29T01:30:00.000Z');
    assert.equal(await code(anna.add.schedule({ amount: 1 }, { at: new Date(0) })), 'SCHEDULE_INVALID');
    assert.equal(await code(anna.add.schedule({ amount: 0 }, { in: '1m' })), 'PAYLOAD_INVALID');
  });

  it('ends a handler at its time limit, and its command becomes a dead letter', async () => {
    await using tally = await start();
    const late = tally.agent(market, 'stall').break.try({ how: 'late' });
    await tally.clock.advance(199);
    assert.deepEqual(tally.deadLetters, []);
    await tally.clock.advance(1);
    assert.equal(failure(await late).code, 'HANDLER_TIMEOUT');
    assert.deepEqual(
      tally.deadLetters.map(({ command, module, action, attempts }) => [command, module, action, attempts]),
      [[1, 'market', 'break', 1]],
    );
  });

  it('passes the pauses between tries, and a handler that runs again gets the stored results of its calls', async () => {
    await using tally = await start();
    const flaky = tally.agent(market, 'stall').flaky({ name: 'unit', times: 2 });
    await tally.idle();
    assert.equal(tally.log.length, 3);
    await tally.clock.advance(20);
    await tally.clock.advance(40);
    assert.deepEqual(await flaky, { tries: 3 });
    assert.deepEqual(
      tally.log.map(({ kind, module }) => `${kind} ${module}`),
      ['cmd market', 'cmd purse', 'res purse', 'res market'],
    );
  });

  it('refuses a call that a handler makes after its end, as a broker does', async () => {
    let said: Promise<string> | undefined;
    const forgetful = defineModule({
      name: 'forgetful',
      version: '1.0.0',
      description: 'Calls when it is too late.',
      dependencies: { purse: ['add'] },
      state: {},
      events: {},
      actions: {
        later: {
          input: Type.Object({}),
          output: Type.Object({}),
          run: async (_, __, { call }) => {
            const late = new Promise((resolve) => setTimeout(resolve, 5));
            said = late.then(() => code(call(purse, 'add', 'ada', { amount: 1 })));
            return ok({});
          },
        },
      },
    });
    await using tally = await startInProcess([forgetful, purse]);
    await tally.agent(forgetful, 'ada').later({});
    assert.equal(await said, 'HEADER_INVALID');
    assert.deepEqual(
      tally.log.map(({ kind }) => kind),
      ['cmd', 'res'],
    );
  });

  it('ends calls and commands at their limits', async () => {
    await using tally = await start();
    const stall = tally.agent(market, 'stall');
    const late = stall.break.try({ how: 'late' }, { timeoutMs: 50 });
    const behind = stall.begin.try({ steps: 0 }, { deadline: new Date(tally.clock.now().getTime() + 100) });
    await tally.clock.advance(60);
    assert.equal(failure(await late).code, 'LOG_UNCERTAIN');
    await tally.clock.advance(200);
    assert.deepEqual(
      [failure(await behind).code, failure(await behind).status],
      ['DEADLINE_PAST', 'expired'],
    );
  });
});

describe('faults of a module', () => {
  it('become dead letters with the stack of what was thrown', async () => {
    await using tally = await start();
    const stall = tally.agent(market, 'stall');
    for (const [how, expected] of [
      ['throw', 'HANDLER_THREW'],
      ['output', 'OUTCOME_INVALID'],
      ['fold', 'HANDLER_THREW'],
      ['undeclared', 'OUTCOME_INVALID'],
      ['code', 'OUTCOME_INVALID'],
      ['self', 'CALL_DEADLOCK'],
    ] as const)
      assert.equal(failure(await stall.break.try({ how })).code, expected);
    assert.deepEqual(
      tally.deadLetters.map(({ error }) => error.code),
      ['HANDLER_THREW', 'OUTCOME_INVALID', 'HANDLER_THREW', 'OUTCOME_INVALID', 'OUTCOME_INVALID'],
    );
    assert.match(tally.deadLetters[0]?.stack ?? '', /market\/index/);
  });

  it('are found if a handler changes the state, or the state is no plain JSON', async () => {
    const odd = defineModule({
      name: 'odd',
      version: '1.0.0',
      description: 'Breaks the rules of states.',
      state: { n: 0, at: undefined as unknown },
      events: { dated: { data: Type.Object({}), evolve: (state) => ({ ...state, at: new Date() }) } },
      actions: {
        change: {
          input: Type.Object({}),
          output: Type.Object({}),
          decide: (state) => {
            state.n += 1;
            return ok({});
          },
        },
        date: { input: Type.Object({}), output: Type.Object({}), decide: () => ok({}, { dated: {} }) },
      },
    });
    await using tally = await startInProcess([odd]);
    assert.match(failure(await tally.agent(odd, 'a').change.try()).message, /read only property/);
    assert.match(
      failure(await tally.agent(odd, 'a').date.try()).message,
      /the state of odd is not plain JSON/,
    );
  });
});

describe('a start', () => {
  it('is refused as a broker would refuse the modules', async () => {
    assert.equal(await code(startInProcess([market])), 'DEPENDENCY_MISSING');
    assert.equal(await code(startInProcess([purse, purse])), 'MODULE_NAME_TAKEN');
    assert.equal(await code(startInProcess([purse], { now: 'today' })), 'USAGE');
    const nameless = { ...purse, manifest: { ...purse.manifest, name: 'no name' as never } };
    assert.equal(await code(startInProcess([nameless])), 'MANIFEST_INVALID');
  });

  it('takes another module in the place of one, by its name', async () => {
    const stub = defineModule({
      name: 'purse',
      version: '1.0.0',
      description: 'Answers as a test wants it.',
      state: {},
      actions: Object.fromEntries(
        ['add', 'take', 'look'].map((name) => [
          name,
          {
            input: Type.Object({}),
            output: Type.Object({ balance: Type.Integer() }),
            decide: () => ok({ balance: 7 }),
          },
        ]),
      ),
    });
    await using tally = await startInProcess([market, stub]);
    assert.deepEqual(await tally.agent(market, 'stall').sell({ to: 'anna', price: 1 }), { left: 7 });
  });
});

describe('a read model in one process', () => {
  const ledger = defineModule({
    name: 'ledger',
    version: '1.0.0',
    description: 'What each purse has got and given.',
    state: { moves: 0, last: 0, sum: 0 },
    folds: {
      'purse.added': {
        data: Type.Object({ amount: Type.Integer() }),
        evolve: ({ moves, sum }, { seq, data }) => ({ moves: moves + 1, last: seq, sum: sum + data.amount }),
      },
      'purse.>': {
        data: Type.Object({ amount: Type.Integer() }),
        evolve: ({ moves, sum }, { seq, data }) => ({ moves: moves + 1, last: seq, sum: sum - data.amount }),
      },
    },
    actions: {},
  });

  it('folds the events of others, and stores nothing', async () => {
    await using tally = await startInProcess([purse, ledger]);
    await tally.agent(purse, 'anna').add({ amount: 30 });
    await tally.agent(purse, 'anna').add({ amount: 5 });
    const { seq, state } = (await tally.state(ledger, 'anna')) ?? {};
    assert.deepEqual(state, { moves: 2, last: seq, sum: 35 });
    assert.equal(await tally.state(ledger, 'bert'), undefined);
    assert.deepEqual(new Set(tally.log.map(({ module }) => module)), new Set(['purse']));
  });
});

describe('modules that listen to each other in one process', () => {
  const hearing = (name: string, other: string) =>
    defineModule({
      name,
      version: '1.0.0',
      description: 'Answers each event of the other one with an event.',
      state: { heard: 0 },
      events: { noted: { data: Type.Null(), evolve: ({ heard }) => ({ heard: heard + 1 }) } },
      on: { [`${other}.noted`]: { data: Type.Null(), decide: () => ok(null, { noted: null }) } },
      actions: {
        begin: { input: Type.Object({}), output: Type.Null(), decide: () => ok(null, { noted: null }) },
      },
    });

  it('come to an end, with a dead letter', async () => {
    const [left, right] = [hearing('left', 'right'), hearing('right', 'left')];
    await using tally = await startInProcess([left, right]);
    await tally.agent(left, 'a').begin({});
    await tally.idle();
    assert.deepEqual(
      tally.deadLetters.map(({ error }) => error.code),
      ['CHAIN_TOO_LONG'],
    );
    const states = await Promise.all([left, right].map((each) => tally.state(each, 'a')));
    assert.deepEqual(
      states.map((found) => found?.state),
      [{ heard: 33 }, { heard: 32 }],
    );
  });
});

describe('the end', () => {
  it('waits for calls that are not awaited, and refuses those that wait for the clock', async () => {
    const tally = await start();
    const added = tally.agent(purse, 'anna').add({ amount: 1 });
    const flaky = tally.agent(market, 'stall').flaky.try({ name: 'end', times: 9 });
    await tally.close();
    assert.deepEqual(await added, { balance: 1 });
    assert.equal(failure(await flaky).code, 'LOG_UNCERTAIN');
    assert.equal(await code(tally.agent(purse, 'anna').look()), 'BROKER_UNREACHABLE');
  });
});
