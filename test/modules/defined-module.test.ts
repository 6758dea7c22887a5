import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { taskCall } from '../../modules/fp.js';
import { defineModule, ok, reject, send, Type } from '../../modules/sdk/index.js';
import { answered, rejected, specification } from '../../testing/index.js';
import { FaultError } from '../../schemas/errors.js';
import { parseManifest } from '../../schemas/manifest.js';
import { success } from '../support/either.js';

const Seats = Type.Object({ seats: Type.Integer({ minimum: 1 }) });

const tickets = defineModule({
  name: 'tickets',
  version: '1.2.0',
  schema: 2,
  description: 'Sells the seats of shows.',
  limits: { heapMb: 64 },
  state: { sold: 0 },
  events: {
    sold: {
      description: 'Seats were sold.',
      data: Seats,
      evolve: ({ sold }, { seats }) => ({ sold: sold + seats }),
      upcast: { 1: ({ n }: { n: number }) => ({ seats: n }) },
    },
  },
  actions: {
    sell: {
      description: 'Sells seats.',
      input: Seats,
      output: Type.Object({ left: Type.Integer() }),
      rejections: ['SOLD_OUT'],
      decide: ({ sold }, { seats }) =>
        sold + seats > 100
          ? reject('SOLD_OUT', `${100 - sold} seats are left`)
          : ok({ left: 100 - sold - seats }, { sold: { seats } }),
    },
    count: {
      agent: 'none',
      input: Type.Object({}),
      output: Type.String(),
      decide: (_, _input, { time }) => ok(time),
    },
  },
});

const agency = defineModule({
  name: 'agency',
  version: '1.0.0',
  description: 'Buys seats for its customers.',
  dependencies: { tickets: ['sell', 'count'] },
  state: { bought: 0 },
  events: { bought: { data: Seats, evolve: ({ bought }, { seats }) => ({ bought: bought + seats }) } },
  actions: {
    buy: {
      input: Type.Object({ show: Type.String(), seats: Type.Integer() }),
      output: Type.Object({ left: Type.Integer(), at: Type.String() }),
      run: async (_, { show, seats }, { call, emit }) => {
        const { left } = await call(tickets, 'sell', show, { seats });
        emit('bought', { seats });
        return ok({ left, at: await call(tickets, 'count', {}) });
      },
    },
    tryToBuy: {
      input: Type.Object({ show: Type.String(), seats: Type.Integer() }),
      output: Type.Boolean(),
      run: async (_, { show, seats }, { call }) => {
        const said = await call.try(tickets, 'sell', show, { seats });
        return ok(said._tag === 'Right', said._tag === 'Right' ? { bought: { seats } } : undefined);
      },
    },
    later: {
      input: Type.Object({ show: Type.String() }),
      output: Type.Null(),
      decide: (_, { show }, { self }) =>
        ok(
          null,
          [{ bought: { seats: 1 } }, { bought: { seats: 2 } }],
          [
            send(tickets, 'sell', show, { seats: 1 }),
            send(tickets, 'count', {}),
            send(self, 'later', 'zoe', { show }),
          ],
        ),
    },
    buyByTask: {
      input: Type.Object({ show: Type.String(), seats: Type.Integer() }),
      output: Type.Integer(),
      run: (_, { show, seats }, { call }) =>
        pipe(
          taskCall(call)(tickets, 'sell', show, { seats }),
          TE.bimap(
            ({ code }) => ({ code: `AFTER_${code}`, message: 'by task' }),
            ({ left }) => ({ data: left, events: [{ name: 'bought' as const, data: { seats } }] }),
          ),
        ),
    },
    byTask: {
      input: Type.Object({}),
      output: Type.Integer(),
      run: () => TE.left({ code: 'NOT_TODAY', message: 'the desk is closed' }),
    },
    secretly: {
      input: Type.Object({}),
      output: Type.Integer(),
      rejections: ['DECLARED'],
      // As JavaScript allows it.
      decide: () => reject('UNDECLARED' as 'DECLARED', 'no'),
    },
  },
});

describe('a defined module', () => {
  it('has a manifest that is derived and valid', () => {
    const written: unknown = JSON.parse(JSON.stringify(tickets.manifest));
    const { actions, events, ...rest } = success(parseManifest(written));
    assert.deepEqual(rest, {
      name: 'tickets',
      version: '1.2.0',
      schema: 2,
      description: 'Sells the seats of shows.',
      limits: { heapMb: 64 },
      start: { entry: './index.js' },
    });
    assert.deepEqual(
      Object.entries(actions).map(([name, { agent, description, rejections }]) => [
        name,
        agent,
        description,
        rejections,
      ]),
      [
        ['sell', 'required', 'Sells seats.', ['SOLD_OUT']],
        ['count', 'none', undefined, undefined],
      ],
    );
    assert.deepEqual(events.sold, {
      description: 'Seats were sold.',
      data: JSON.parse(JSON.stringify(Seats)),
    });
    assert.deepEqual(tickets.upcast?.[1]?.sold?.({ n: 3 } as never), { seats: 3 });
  });

  it('decides and evolves by the given/when/then kit', () => {
    const show = specification(tickets).agent('hamlet');
    show.when('sell', { seats: 98 }).thenDecided({
      data: { left: 2 },
      events: [{ name: 'sold', data: { seats: 98 } }],
      state: { sold: 98 },
    });
    const almost = show.given([{ name: 'sold', data: { seats: 98 } }]);
    almost.when('sell', { seats: 3 }).thenRejected('SOLD_OUT');
    almost.when('sell', { seats: 0 }).thenRejected('PAYLOAD_INVALID');
    specification(tickets)
      .itself.when('count', {}, { time: '2026-05-01T00:00:00.000Z' })
      .thenDecided({ data: '2026-05-01T00:00:00.000Z' });
  });

  it('awaits calls of other modules, with an agent and without one', async () => {
    const calls = [send(tickets, 'sell', 'hamlet', { seats: 2 }), send(tickets, 'count', {})];
    await specification(agency)
      .agent('anna')
      .when('buy', { show: 'hamlet', seats: 2 })
      .answering(({ name }) => answered(name === 'sell' ? { left: 7 } : 'today'))
      .thenDecided({
        calls,
        data: { left: 7, at: 'today' },
        events: [{ name: 'bought', data: { seats: 2 } }],
        state: { bought: 2 },
      });
  });

  it('is rejected with the code of a call that it does not catch, and has emitted nothing', async () => {
    const buy = specification(agency).agent('anna').when('buy', { show: 'hamlet', seats: 2 });
    await buy
      .answering(() => rejected('SOLD_OUT'))
      .thenRejected('SOLD_OUT', { calls: [send(tickets, 'sell', 'hamlet', { seats: 2 })] });
  });

  it('gets the result of a call as a value by call.try', async () => {
    const attempt = specification(agency).agent('anna').when('tryToBuy', { show: 'hamlet', seats: 2 });
    const calls = [send(tickets, 'sell', 'hamlet', { seats: 2 })];
    await attempt.answering(() => rejected('SOLD_OUT')).thenDecided({ calls, data: false, events: [] });
    await attempt
      .answering(() => answered({ left: 1 }))
      .thenDecided({ calls, data: true, events: [{ name: 'bought', data: { seats: 2 } }] });
  });

  it('sends commands to others and to itself, and may say one event twice', () => {
    specification(agency)
      .agent('anna')
      .when('later', { show: 'hamlet' })
      .thenDecided({
        data: null,
        events: [
          { name: 'bought', data: { seats: 1 } },
          { name: 'bought', data: { seats: 2 } },
        ],
        commands: [
          { module: 'tickets', name: 'sell', agent: 'hamlet', data: { seats: 1 } },
          { module: 'tickets', name: 'count', data: {} },
          { module: 'agency', name: 'later', agent: 'zoe', data: { show: 'hamlet' } },
        ],
      });
  });

  it('may have handlers that return a TaskEither', async () => {
    const never = (): never => assert.fail('no call is made');
    await specification(agency).agent('anna').when('byTask', {}).answering(never).thenRejected('NOT_TODAY');
    const buy = specification(agency).agent('anna').when('buyByTask', { show: 'hamlet', seats: 2 });
    const calls = [send(tickets, 'sell', 'hamlet', { seats: 2 })];
    await buy
      .answering(() => answered({ left: 3 }))
      .thenDecided({ calls, data: 3, events: [{ name: 'bought', data: { seats: 2 } }] });
    await buy.answering(() => rejected('SOLD_OUT')).thenRejected('AFTER_SOLD_OUT', { calls });
  });

  it('cannot be stored with a rejection that its action does not declare', () => {
    const secretly = specification(agency).agent('anna').when('secretly', {});
    assert.throws(() => secretly.thenRejected('UNDECLARED'), /UNDECLARED.*rejections.*DECLARED/);
  });

  it('is refused when an action has no handler, or two', () => {
    const define = (handlers: object) => () =>
      defineModule({
        name: 'wrong',
        version: '1.0.0',
        description: '',
        state: {},
        actions: { act: { input: Type.Object({}), output: Type.Null(), ...handlers } as never },
      });
    const decide = () => ok(null);
    for (const handlers of [{}, { decide, run: decide }, { decide: 1 }]) {
      assert.throws(define(handlers), (error) => {
        assert.ok(error instanceof FaultError);
        assert.equal(error.fault.path, '/actions/act');
        assert.match(error.message, /MANIFEST_INVALID: the action wrong.act needs one handler/);
        return true;
      });
    }
  });

  it('is refused when a schema is none, or has no JSON Schema', () => {
    const define = (input: unknown) => () =>
      defineModule({
        name: 'wrong',
        version: '1.0.0',
        description: '',
        state: {},
        actions: { act: { input: input as typeof Seats, output: Type.Null(), decide: () => ok(null) } },
      });
    const standard = (input?: () => object) => ({
      '~standard': { version: 1, vendor: 'paper', ...(input === undefined ? {} : { jsonSchema: { input } }) },
    });
    const throwing = (): object => {
      throw new Error('a date has no JSON');
    };
    assert.throws(define('seats'), /the input of wrong.act cannot be written as JSON Schema: it is string/);
    assert.throws(define(null), /it is null/);
    assert.throws(define(standard()), /this version of paper does not/);
    assert.throws(define(standard(throwing)), /a date has no JSON/);
    const made = define(standard(() => ({ $schema: 'x', type: 'object' })))();
    assert.deepEqual(JSON.parse(JSON.stringify(made.manifest.actions.act.input)), { type: 'object' });
  });

  it('has results that fp-ts can read', () => {
    assert.ok(isLeft(reject('NO', 'no')));
    assert.deepEqual(reject('NO', 'no', { retryable: true }).left, {
      code: 'NO',
      message: 'no',
      retryable: true,
    });
    assert.deepEqual(ok(1), { _tag: 'Right', right: { data: 1 } });
  });
});
