import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTokenText, principalText } from '../../bin/text/token-text.js';
import type { Principal } from '../../schemas/access-requests.js';

const principalOf = (allow: readonly string[]): Principal => ({
  name: 'ci',
  account: '_ci',
  publicKey: 'U',
  allow,
  created: '2026-01-01T00:00:00.000Z',
  expires: null,
  by: 'operator',
});

const textFor = (...allow: readonly string[]): string =>
  newTokenText({ principal: principalOf(allow), recorded: 1 }, 'ci token', 'nats://127.0.0.1:4222');

const CALLS: readonly (readonly [allow: readonly string[], action: string, agent: string])[] = [
  [['call accounts.balance'], 'accounts.balance', 'alice'],
  [['call accounts.balance.*'], 'accounts.balance', 'alice'],
  [['call accounts.deposit.shop-*'], 'accounts.deposit', 'shop-1'],
  [['listen accounts', 'call accounts.*', 'call orders.place.o7'], 'orders.place', 'o7'],
];

for (const [allow, action, agent] of CALLS)
  test(`the text of a new token names a call that it allows: ${allow.join(', ')}`, () => {
    const text = textFor(...allow);
    assert.match(
      text,
      new RegExp(`tallystick call ${action} '{}' --agent ${agent} --token 'ci token' --server`),
    );
    assert.match(text, new RegExp(`--nkey 'ci token' req call\\.${action}\\.${agent} '{}'`));
  });

for (const allow of [
  ['call accounts.*'],
  ['call acc*.balance'],
  ['call accounts'],
  ['listen accounts.deposited'],
])
  test(`it names no call where the grants name no single action: ${allow.join()}`, () => {
    assert.doesNotMatch(textFor(...allow), /tallystick call/);
    assert.match(textFor(...allow), /tallystick token show ci/);
  });

test('a token without an end is valid until somebody revokes it', () => {
  const principal = principalOf(['call accounts']);
  assert.match(principalText(principal), /^until +you revoke it$/m);
  assert.match(
    principalText({ ...principal, expires: '2999-01-01T00:00:00.000Z' }),
    /^until +2999-01-01T00:00:00.000Z$/m,
  );
  assert.match(
    principalText({ ...principal, expires: '2000-01-01T00:00:00.000Z' }),
    /^until +2000-.*Z \(over\)$/m,
  );
});
