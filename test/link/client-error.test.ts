import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { errors } from 'nats';
import { type ClientErrorName, isClientError } from '../../link/client-error.js';

const NAMES = Object.keys(errors) as ClientErrorName[];

/** An error of that class. No class of the client needs its arguments to be of a kind. */
const errorOf = (name: ClientErrorName): Error => {
  const Class = errors[name] as unknown as new (...of: unknown[]) => Error;
  return new Class('a', 'b', 'c');
};

describe('errors of the client of NATS', () => {
  for (const name of NAMES) {
    it(`knows ${name}, and takes no other error for it`, () => {
      const found = NAMES.filter((each) => isClientError(errorOf(name), each));
      assert.deepEqual(found, [name]);
      assert.equal(isClientError(errorOf(name), ...NAMES), true);
    });
  }

  it('knows the error of another copy of the client', () => {
    const context = createContext({ Error });
    const theirs = runInContext(
      "class TimeoutError extends Error { constructor() { super('late'); this.name = 'TimeoutError'; } } new TimeoutError()",
      context,
    ) as unknown;
    assert.equal(isClientError(theirs, 'TimeoutError'), true);
  });

  it('takes nothing else for one', () => {
    for (const thrown of [new Error('x'), undefined, null, 'TimeoutError', { name: 'TimeoutError' }])
      assert.equal(isClientError(thrown, 'TimeoutError'), false);
  });
});
