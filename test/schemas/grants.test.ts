import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import {
  allows,
  type AskedRight,
  coversPart,
  type Grant,
  grantText,
  METHODS,
  OPERATE_ROLES,
  parseGrant,
  parseGrants,
} from '../../schemas/grants.js';

const letters = fc.stringMatching(/^[ab_]{1,4}$/);
const pattern = fc.stringMatching(/^[ab*_]{1,5}$/);
const requested = fc.constantFrom('call', 'send', 'schedule' as const);
const addressed = fc.constantFrom('call', 'send', 'schedule', 'listen' as const);

const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    method: fc.constant('listen' as const),
    parts: fc.array(fc.oneof(letters, fc.constant('*')), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ method: requested, parts: fc.array(pattern, { minLength: 1, maxLength: 3 }) }),
  fc.record({ method: fc.constant('produce' as const), parts: pattern.map((each) => [each]) }),
  fc.record({
    method: fc.constant('operate' as const),
    parts: fc.constantFrom(...OPERATE_ROLES).map((each) => [each]),
  }),
);

const asked: fc.Arbitrary<AskedRight> = fc.oneof(
  fc.record({ method: addressed, parts: fc.array(letters, { minLength: 2, maxLength: 3 }) }),
  fc.record({ method: fc.constant('produce' as const), parts: letters.map((each) => [each]) }),
  fc.record({
    method: fc.constant('operate' as const),
    parts: fc.constantFrom(...OPERATE_ROLES).map((each) => [each]),
  }),
);

/** The same question, by a regular expression over the whole text. */
const asRegExp = (text: string): RegExp => new RegExp(`^${text.replaceAll('*', '.*')}$`);

const model = (grants: readonly Grant[], { method, parts }: AskedRight): boolean =>
  grants.some((each) => {
    if (each.method !== method) return false;
    if (method === 'operate') {
      const below: Readonly<Record<string, readonly string[]>> = {
        reader: ['reader'],
        keeper: ['reader', 'keeper'],
        admin: ['reader', 'keeper', 'admin'],
      };
      return below[each.parts[0] ?? '']?.includes(parts[0] ?? '') === true;
    }
    const all = each.parts.map((part) => part.replaceAll('*', '[^.]*')).join('[.]');
    return new RegExp(`^${all}([.].*)?$`).test(parts.join('.'));
  });

describe('grants', () => {
  it('a pattern covers a part exactly when the regular expression of it does', () => {
    fc.assert(
      fc.property(pattern, letters, (text, part) => {
        assert.equal(coversPart(text, part), asRegExp(text).test(part));
      }),
      { numRuns: 5_000 },
    );
  });

  it('a list of grants allows a request exactly when a model of text allows it', () => {
    fc.assert(
      fc.property(fc.array(grant, { maxLength: 5 }), asked, (grants, request) => {
        assert.equal(allows(grants, request), model(grants, request));
      }),
      { numRuns: 10_000 },
    );
  });

  it('no grant is added to a list that takes a right away', () => {
    fc.assert(
      fc.property(fc.array(grant, { maxLength: 5 }), grant, asked, (grants, more, request) => {
        if (allows(grants, request)) assert.ok(allows([...grants, more], request));
      }),
    );
  });

  it('a grant that was written is read as the same', () => {
    fc.assert(
      fc.property(grant, (each) => {
        const read = parseGrant(grantText(each));
        assert.deepEqual(isRight(read) ? read.right : read.left, { ...each });
      }),
    );
  });

  it('a text that is no grant is refused with GRANT_INVALID, whatever it is', () => {
    const texts = [
      '',
      'call',
      'call ',
      'call accounts.*.x.y',
      'call accounts..x',
      'call accounts.>',
      'call acc ounts',
      'listen acc*',
      'listen accounts.dep*.x',
      'own accounts',
      'operate root',
      'operate admin.x',
      'produce a.b',
      `call ${'a'.repeat(65)}`,
      '__proto__ x',
    ];
    for (const text of texts) {
      const read = parseGrants([text]);
      assert.ok(isLeft(read), text);
      assert.equal(read.left.code, 'GRANT_INVALID');
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseGrant(text);
        if (isLeft(read)) assert.equal(read.left.code, 'GRANT_INVALID');
        else assert.ok(METHODS.includes(read.right.method));
      }),
    );
  });
});
