import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import accountsModule from '../../modules/accounts/index.js';
import { send } from '../../modules/sdk/index.js';
import { answered, rejected, specification } from '../../testing/index.js';
import { type Add, add, type Buy, buy, counter, manifest } from '../modules/counter.js';

const { manifest: accounts } = accountsModule;

const added = (by: number) => ({ name: 'added' as const, data: { by } });
const of = (own: Parameters<typeof counter>[0]) => specification(counter(own)).agent('a');
const plain = of({});

const withDecision = (
  change: (decided: { data: unknown; events: unknown; commands: unknown }) => object,
): Add =>
  ((state, command) =>
    E.map((decided: object) => ({ ...decided, ...change(decided as never) }))(
      add(state, command) as never,
    )) as Add;

const fails = (run: () => void, words: RegExp): void => {
  assert.throws(run, (error: Error) => error.name === 'AssertionError' && words.test(error.message));
};

test('what holds passes', () => {
  plain
    .given([added(1)])
    .when('add', { by: 2 })
    .thenDecided({ data: { count: 3 }, events: [added(2)], state: { count: 3 } });
});

test('other data, events, commands or states fail', () => {
  const handled = plain.when('add', { by: 2 });
  fails(() => handled.thenDecided({ data: { count: 3 }, events: [added(2)] }), /data differ/);
  fails(() => handled.thenDecided({ events: [added(3)] }), /events differ/);
  fails(() => handled.thenDecided({ events: [added(2)], state: { count: 3 } }), /state differs/);
  const reset = send(manifest, 'reset', undefined, { by: 1 });
  fails(() => handled.thenDecided({ events: [added(2)], commands: [reset] }), /commands differ/);
});

test('an event or command that is not named fails', () => {
  fails(() => plain.when('add', { by: 2 }).thenDecided({ data: { count: 2 } }), /events differ/);
});

test('a decision is no rejection, and a rejection no decision', () => {
  const no = of({ add: () => E.left({ code: 'NO', message: 'not today' }) }).when('add', { by: 1 });
  no.thenRejected('NO');
  fails(() => no.thenRejected('NEVER'), /not today/);
  fails(() => no.thenDecided({}), /rejected, NO: not today/);
  fails(() => plain.when('add', { by: 1 }).thenRejected('NO'), /decided instead/);
});

test('a command that production would refuse does not get to its handler', () => {
  const unreachable = specification(counter({ add: () => assert.fail('reached') }));
  unreachable.agent('a').when('add', { by: 101 }).thenRejected('PAYLOAD_INVALID');
  unreachable.itself.when('add', { by: 1 }).thenRejected('AGENT_REQUIRED');
  unreachable.agent('a').when('reset', { by: 1 }).thenRejected('AGENT_UNEXPECTED');
  unreachable.itself.when('reset', { by: 1 }, { sender: 'guest' }).thenRejected('CALLER_FORBIDDEN');
  unreachable.itself.when('reset', { by: 1 }).thenDecided({ data: null });
});

test('an outcome that production would refuse fails, whatever is expected of it', () => {
  const bad: readonly (readonly [Add, RegExp])[] = [
    [withDecision(() => ({ data: { count: 101 } })), /OUTCOME_INVALID: data of counter.add\/count/],
    [withDecision(() => ({ data: undefined })), /OUTCOME_INVALID/],
    [withDecision(() => ({ events: [added(101)] })), /event counter.added\/by/],
    [withDecision(() => ({ events: [{ name: 'gone', data: {} }] })), /declares no event "gone"/],
    [
      withDecision(() => ({ commands: [send(accounts, 'deposit', 'a', { amount: 1 })] })),
      /does not declare accounts.deposit/,
    ],
    [
      withDecision(() => ({ commands: [send(accounts, 'withdraw', 'a.b', { amount: 1 })] })),
      /no name of an agent/,
    ],
    [
      withDecision(() => ({ commands: [send(manifest, 'reset', undefined, { by: 101 })] })),
      /counter.reset: payload\/by/,
    ],
    [
      withDecision(() => ({ commands: [send(manifest, 'add', undefined, { by: 1 })] })),
      /addressed to an agent/,
    ],
    [() => E.left({ code: 'not today', message: '' }), /code "not today"/],
  ];
  for (const [handler, words] of bad) {
    fails(() => of({ add: handler }).when('add', { by: 1 }).thenDecided({}), words);
    fails(() => of({ add: handler }).when('add', { by: 1 }).thenRejected('NO'), words);
  }
});

test('a decider that decides differently the second time fails', () => {
  let calls = 0;
  const counting = withDecision(() => {
    calls += 1;
    return { data: { count: calls } };
  });
  fails(() => of({ add: counting }).when('add', { by: 1 }).thenDecided({}), /decides differently/);
});

test('a handler or fold that changes what it was given throws', () => {
  const mutating: Add = (state, command) => {
    state.count += 1;
    return add(state, command);
  };
  assert.throws(() => of({ add: mutating }).when('add', { by: 1 }).thenDecided({}), TypeError);
  const folding = of({ fold: (state, { by }) => Object.assign(state, { count: state.count + by }) });
  assert.throws(() => folding.given([added(1)]), TypeError);
});

test('a state that a snapshot could not hold fails', () => {
  const mapped = of({ fold: () => ({ count: 1, seen: new Map() }) });
  fails(() => mapped.given([added(1)]), /not plain JSON/);
  const loose = of({ fold: () => ({ count: Number.NaN }) });
  fails(() => loose.given([added(1)]), /not plain JSON/);
});

test('an event that does not fit its schema cannot be given', () => {
  fails(() => plain.given([added(101)]), /an event does not fit/);
});

const withdraw = send(accounts, 'withdraw', 'a', { amount: 2 });
const paid = () => answered({ balance: 0 });

test('an effectful handler is answered, and its calls are compared in order', async () => {
  const handled = plain.when('buy', { by: 2 });
  await handled.answering(paid).thenDecided({ calls: [withdraw], data: { count: 2 }, events: [added(2)] });
  await handled
    .answering(() => rejected('INSUFFICIENT_FUNDS'))
    .thenRejected('INSUFFICIENT_FUNDS', { calls: [withdraw] });
  await assert.rejects(handled.answering(paid).thenDecided({ events: [added(2)] }), /the calls differ/);
});

test('an answer that the callee could not give fails', async () => {
  const answering = plain.when('buy', { by: 2 }).answering(() => answered({ balance: 'none' }));
  await assert.rejects(answering.thenDecided({}), /the answer to call 1, accounts.withdraw: OUTCOME_INVALID/);
});

test('a call that production would refuse fails, also when the handler would live with it', async () => {
  const calling = (call: Parameters<Buy>[1]['call']): readonly TE.TaskEither<unknown, unknown>[] => [
    call(accounts, 'deposit', 'a', { amount: 1 }),
    call(accounts, 'withdraw', 'a', { amount: 0 }),
    call(accounts, 'withdraw', undefined, { amount: 1 }),
    call(manifest, 'add', 'a', { by: 1 }),
  ];
  const words = [/DEPENDENCY_UNDECLARED/, /PAYLOAD_INVALID/, /AGENT_REQUIRED/, /CALL_DEADLOCK/];
  for (const [n, expected] of words.entries()) {
    const careless: Buy = (command, context) => async () => {
      await calling(context.call)
        [n]?.()
        .catch(() => undefined);
      return add(context.state, command);
    };
    const answering = of({ buy: careless }).when('buy', { by: 1 }).answering(paid);
    await assert.rejects(answering.thenDecided({ events: [added(1)] }), expected);
  }
});

test('what an effectful handler emits comes before the events of its decision, and goes with a refusal', async () => {
  const generous: Buy = (command, context) => {
    context.emit({ name: 'added', data: { by: 7 } });
    return buy(command, context);
  };
  const handled = of({ buy: generous }).when('buy', { by: 2 });
  const expected = { calls: [withdraw], data: { count: 2 }, events: [added(7), added(2)] };
  await handled.answering(paid).thenDecided(expected);
  await handled
    .answering(() => rejected('INSUFFICIENT_FUNDS'))
    .thenRejected('INSUFFICIENT_FUNDS', { calls: [withdraw] });
});

test('an effectful handler that would not repeat itself after a crash fails', async () => {
  let runs = 0;
  const wandering: Buy = (command, context) => {
    runs += 1;
    return buy({ ...command, data: { by: runs } }, context);
  };
  const answering = of({ buy: wandering }).when('buy', { by: 1 }).answering(paid);
  await assert.rejects(answering.thenDecided({}), /makes another call 1/);
  const forgetful: Buy = (command, context) => {
    runs += 1;
    return TE.fromEither(add(context.state, { ...command, data: { by: runs } }));
  };
  const other = of({ buy: forgetful }).when('buy', { by: 1 }).answering(paid);
  await assert.rejects(other.thenDecided({}), /ends differently/);
});

test('an effectful action needs answers, and a pure one takes none', async () => {
  fails(() => plain.when('buy', { by: 1 }).thenDecided({}), /buy is effectful/);
  await assert.rejects(plain.when('add', { by: 1 }).answering(paid).thenDecided({}), /add is pure/);
});
