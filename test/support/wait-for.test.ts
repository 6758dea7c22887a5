import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from './wait-for.js';

describe('waitFor', () => {
  it('gives the first value that is there', async () => {
    const answers = [undefined, false, null, 0];
    assert.equal(await waitFor('a number', () => answers.shift()), 0);
  });

  it('waits over a condition that throws', async () => {
    let tries = 0;
    const value = await waitFor('the third try', () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return tries;
    });
    assert.equal(value, 3);
  });

  it('says at the deadline what was waited for and what was there instead', async () => {
    await assert.rejects(
      waitFor('the moon', () => false, 30),
      /waited 30 ms for the moon; last: false/,
    );
    const why = new Error('clouds');
    await assert.rejects(
      waitFor('the moon', () => Promise.reject(why), 30),
      (error: Error) => error.cause === why && /clouds/.test(error.message),
    );
  });
});
