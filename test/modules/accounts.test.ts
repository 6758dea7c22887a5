import { test } from 'node:test';
import accounts from '../../modules/accounts/index.js';
import { CEILING, MAX_OUTGOING } from '../../modules/accounts/accounts-state.js';
import { send } from '../../modules/sdk/index.js';
import { specification } from '../../testing/index.js';

const { manifest: accountsManifest } = accounts;

const alice = specification(accounts).agent('alice');
const bob = specification(accounts).agent('bob');
const deposited = (amount: number) => ({ name: 'deposited' as const, data: { amount } });
const started = (transfer: number, amount: number) => ({
  name: 'transfer_started' as const,
  data: { transfer, to: 'bob', amount },
});
const full = Array.from({ length: 9_007 }, () => deposited(1_000_000_000_000)).concat(
  deposited(CEILING % 1e12),
);

test('a deposit adds to the balance', () => {
  alice
    .given([deposited(5)])
    .when('deposit', { amount: 3 })
    .thenDecided({ data: { balance: 8 }, events: [deposited(3)], state: { balance: 8, outgoing: {} } });
});

test('an amount is an integer from 1 to 1e12', () => {
  for (const amount of [0, -1, 1.5, 1e12 + 1, Number.NaN]) {
    alice.when('deposit', { amount }).thenRejected('PAYLOAD_INVALID');
  }
  alice.when('deposit', { amount: 1e12 }).thenDecided({ data: { balance: 1e12 }, events: [deposited(1e12)] });
});

test('a deposit that would make the balance inexact is rejected', () => {
  alice
    .given(full)
    .when('balance', {})
    .thenDecided({ data: { balance: CEILING, outgoing: 0 } });
  alice.given(full).when('deposit', { amount: 1 }).thenRejected('LIMIT_EXCEEDED');
});

test('what is on its way out counts towards the ceiling, so that it can come back', () => {
  const emptied = alice.given(full).given([started(1, 1e12)]);
  emptied.when('deposit', { amount: 1 }).thenRejected('LIMIT_EXCEEDED');
  emptied.when('settle', { transfer: 1, accepted: false }).thenDecided({
    data: { balance: CEILING },
    events: [{ name: 'transfer_returned', data: { transfer: 1, to: 'bob', amount: 1e12 } }],
    state: { balance: CEILING, outgoing: {} },
  });
});

test('a withdrawal takes out what is there, and no more', () => {
  const account = alice.given([deposited(5)]);
  account
    .when('withdraw', { amount: 5 })
    .thenDecided({ data: { balance: 0 }, events: [{ name: 'withdrawn', data: { amount: 5 } }] });
  account.when('withdraw', { amount: 6 }).thenRejected('INSUFFICIENT_FUNDS');
});

test('a transfer takes the money out, remembers it and sends it', () => {
  alice
    .given([deposited(5)])
    .when('transfer', { to: 'bob', amount: 2 }, { seq: 41 })
    .thenDecided({
      data: { balance: 3, transfer: 41 },
      events: [started(41, 2)],
      commands: [send(accountsManifest, 'credit', 'bob', { from: 'alice', transfer: 41, amount: 2 })],
      state: { balance: 3, outgoing: { 41: { to: 'bob', amount: 2 } } },
    });
});

test('a transfer is rejected to its own account, to what is no name, and without the money', () => {
  const account = alice.given([deposited(5)]);
  account.when('transfer', { to: 'alice', amount: 1 }).thenRejected('SAME_ACCOUNT');
  account.when('transfer', { to: 'b.b', amount: 1 }).thenRejected('PAYLOAD_INVALID');
  account.when('transfer', { to: 'bob', amount: 6 }).thenRejected('INSUFFICIENT_FUNDS');
});

test('an account waits for so many transfers, and tells that it is no more', () => {
  const pending = Array.from({ length: MAX_OUTGOING }, (_, n) => started(n + 1, 1));
  alice
    .given([deposited(1e6), ...pending])
    .when('transfer', { to: 'bob', amount: 1 })
    .thenRejected('TRANSFERS_PENDING');
});

test('a credit takes the money in and answers', () => {
  const data = { from: 'alice', transfer: 41, amount: 2 };
  bob.when('credit', data).thenDecided({
    data: { accepted: true },
    events: [{ name: 'credited', data }],
    commands: [send(accountsManifest, 'settle', 'alice', { transfer: 41, accepted: true })],
    state: { balance: 2, outgoing: {} },
  });
});

test('a credit that does not fit is refused by a decision, which sends the money back', () => {
  bob
    .given(full)
    .when('credit', { from: 'alice', transfer: 41, amount: 2 })
    .thenDecided({
      data: { accepted: false },
      commands: [send(accountsManifest, 'settle', 'alice', { transfer: 41, accepted: false })],
    });
});

test('a transfer that has arrived is forgotten', () => {
  alice
    .given([deposited(5), started(41, 2)])
    .when('settle', { transfer: 41, accepted: true })
    .thenDecided({
      data: { balance: 3 },
      events: [{ name: 'transfer_settled', data: { transfer: 41, to: 'bob', amount: 2 } }],
      state: { balance: 3, outgoing: {} },
    });
  alice.when('settle', { transfer: 41, accepted: false }).thenRejected('TRANSFER_UNKNOWN');
});

test('credit and settle are for the module itself only, since they make money appear', () => {
  bob
    .when('credit', { from: 'alice', transfer: 1, amount: 2 }, { sender: 'guest' })
    .thenRejected('CALLER_FORBIDDEN');
  bob.when('settle', { transfer: 1, accepted: false }, { sender: 'orders' }).thenRejected('CALLER_FORBIDDEN');
});
