import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SubjectSet } from '../../../broker/live/subject-set.js';

/** Whether a filter matches, token by token: what the set must agree with. */
const matches = (filter: string, subject: string): boolean => {
  const [wanted, tokens] = [filter.split('.'), subject.split('.')];
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return tokens.length > i;
    if (tokens[i] === undefined || (token !== '*' && token !== tokens[i])) return false;
  }
  return wanted.length === tokens.length;
};

const token = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const filter = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 4 }), fc.boolean())
  .map(([tokens, isOpen]) => (isOpen || tokens.length === 0 ? [...tokens, '>'] : tokens).join('.'));

describe('a set of subjects', () => {
  it('has what one of its filters matches', () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 6 }), subject, (filters, text) => {
        assert.equal(
          new SubjectSet(filters).has(text),
          filters.some((each) => matches(each, text)),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('has everything, or nothing', () => {
    fc.assert(
      fc.property(subject, (text) => {
        assert.equal(SubjectSet.all.has(text), true);
        assert.equal(SubjectSet.none.has(text), false);
      }),
    );
  });

  it('takes a wildcard in a subject for a name', () => {
    assert.equal(new SubjectSet(['a.b']).has('a.*'), false);
    assert.equal(new SubjectSet(['a.*']).has('a.*'), true);
    assert.equal(new SubjectSet(['a.*.c']).has('a.*.d'), false);
  });
});
