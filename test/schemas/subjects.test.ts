import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import {
  buildSubject,
  callSubject,
  commandSubject,
  type LogSubject,
  parseAddress,
  parseSubject,
  splitSubject,
  storedCommandSubject,
} from '../../schemas/subjects.js';
import { name, noName } from './arbitraries.js';

const address = () =>
  fc.record(
    { module: name(), name: name(), agent: name() },
    { requiredKeys: ['module', 'name'], noNullPrototype: true },
  );

const subject = (): fc.Arbitrary<LogSubject> =>
  fc.oneof(
    fc.tuple(address(), name()).map(([to, sender]): LogSubject => ({ kind: 'cmd', ...to, sender })),
    fc
      .tuple(fc.constantFrom('res' as const, 'evt' as const), address())
      .map(([kind, of]): LogSubject => ({ kind, ...of })),
    name().map((producer): LogSubject => ({ kind: 'epoch', producer })),
  );

test('a subject that is built parses to what it was built from', () => {
  fc.assert(
    fc.property(subject(), (original) => {
      const text = buildSubject(original);
      assert.deepEqual(parseSubject(text), right(original));
      assert.deepEqual(splitSubject(text), original);
    }),
  );
});

test('a subject that parses is built to the same text', () => {
  const text = fc
    .tuple(
      fc.constantFrom('cmd', 'res', 'evt', 'epoch', 'live', 'call', ''),
      fc.array(name(), { maxLength: 5 }),
    )
    .map(([kind, tokens]) => [kind, ...tokens].join('.'));
  fc.assert(
    fc.property(text, (original) => {
      const parsed = parseSubject(original);
      if (isLeft(parsed)) assert.equal(parsed.left.code, 'SUBJECT_INVALID');
      else assert.equal(buildSubject(parsed.right), original);
    }),
  );
});

test('one token that is no name makes a subject invalid, whichever it is', () => {
  // A dot would make two tokens of it, and those may be names; producers outside have a name on either side of a tilde.
  const token = noName().filter((text) => !/[.~]/.test(text));
  fc.assert(
    fc.property(subject(), token, fc.nat(4), (original, wrong, at) => {
      const tokens = buildSubject(original).split('.');
      tokens[1 + (at % (tokens.length - 1))] = wrong;
      assert(isLeft(parseSubject(tokens.join('.'))));
    }),
  );
});

test('a subject with a token that is no name still splits, since the server stored it and it must be answered', () => {
  assert.deepEqual(splitSubject('cmd.accounts.depo$it.x.guest'), {
    kind: 'cmd',
    module: 'accounts',
    name: 'depo$it',
    agent: 'x',
    sender: 'guest',
  });
});

test('an address parses both ways, and what follows the agent is refused', () => {
  fc.assert(
    fc.property(address(), (original) => {
      const text = callSubject(original).slice('call.'.length);
      assert.deepEqual(parseAddress(text), right(original));
      assert.equal(commandSubject(original), `cmd.${text}`);
    }),
  );
  for (const text of ['', 'accounts', 'accounts.', '.deposit', 'a.b.c.d', 'a.b.', 'a.*', 'a.>', 'a.b c']) {
    assert(isLeft(parseAddress(text)), text);
  }
});

test('the sender is the last token, where the server puts it', () => {
  assert.equal(storedCommandSubject({ module: 'm', name: 'a', agent: 'x' }, 'guest'), 'cmd.m.a.x.guest');
  assert.equal(storedCommandSubject({ module: 'm', name: 'a' }, 'guest'), 'cmd.m.a.guest');
});
