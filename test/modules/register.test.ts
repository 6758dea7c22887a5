import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  EMPTY_REGISTER,
  withName,
  isEnrolled,
  page,
  type Register,
  withoutName,
} from '../../modules/agents/register.js';

// Few letters, so that names repeat and are prefixes of each other.
const name = fc.stringMatching(/^[aAb_-]{1,4}$/);
const change = fc.record({ in: fc.boolean(), name });

const apply = (register: Register, one: { in: boolean; name: string }): Register =>
  one.in ? withName(register, one.name) : withoutName(register, one.name);

test('the register holds what a set would, in order', () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const register = changes.reduce(apply, EMPTY_REGISTER);
      const set = new Set<string>();
      for (const one of changes) one.in ? set.add(one.name) : set.delete(one.name);
      assert.deepEqual(register.pages.flat(), [...set].sort());
      assert.equal(register.total, set.size);
      for (const one of changes) assert.equal(isEnrolled(register, one.name), set.has(one.name));
    }),
  );
});

test('page by page, a listing has every name with the prefix once, in order', () => {
  fc.assert(
    fc.property(
      fc.array(name),
      fc.oneof(fc.constant(''), name),
      fc.integer({ min: 1, max: 5 }),
      (names, prefix, limit) => {
        const register = names.reduce(withName, EMPTY_REGISTER);
        const listed: string[] = [];
        for (let after = '', more = true; more; after = listed.at(-1) ?? '') {
          const one = page(register, { prefix, after, limit });
          assert(one.names.length <= limit);
          assert(one.names.length === limit || !one.more);
          listed.push(...one.names);
          more = one.more;
        }
        assert.deepEqual(
          listed,
          [...new Set(names)].sort().filter((candidate) => candidate.startsWith(prefix)),
        );
      },
    ),
  );
});

test('at 10,000 names a change copies two short arrays and leaves what was there as it was', () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `agent-${(n * 7919) % 10_000}`);
  const full = names.reduce(withName, EMPTY_REGISTER);
  assert.deepEqual(full.pages.flat(), [...names].sort());
  const text = JSON.stringify(full);
  const struck = withoutName(full, 'agent-5000');
  const changed = struck.pages.filter((one) => !full.pages.includes(one));
  assert.equal(changed.length, 1);
  assert(full.pages.length <= 10_000 / 128 + 1 && full.pages.every((one) => one.length <= 256));
  assert.equal(JSON.stringify(full), text);
  assert.deepEqual(JSON.parse(text), full);
  const empty = names.reduce(withoutName, full);
  assert.deepEqual(empty, EMPTY_REGISTER);
});
