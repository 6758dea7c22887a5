import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { limitedSignal } from '../../../system/async/limited-signal.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const LIMIT_MS = 60;

/** Rejects when the limit ends it. Nothing but the platform holds the signal. */
const waitOnce = async (other: AbortSignal | undefined): Promise<void> => {
  await once(new PassThrough(), 'drain', { signal: limitedSignal(LIMIT_MS, other).signal });
};

const waitInside = (other: AbortSignal | undefined): Promise<void> =>
  new Promise((_, reject) => {
    const { signal } = limitedSignal(LIMIT_MS, other);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

describe('a time limit', () => {
  for (const [name, wait] of Object.entries({ waitOnce, waitInside }))
    for (const other of [undefined, new AbortController()])
      it(`ends what waits though garbage is collected: ${name}, ${other === undefined ? 'alone' : 'with another signal'}`, async () => {
        const waits = Array.from({ length: 20 }, () => wait(other?.signal));
        const ended = Promise.allSettled(waits);
        for (let i = 0; i < 3; i++) {
          await new Promise(setImmediate);
          collectGarbage();
        }
        for (const each of await ended) assert.equal(each.status, 'rejected');
      });

  it('is aborted with the other signal and its reason, also if that was aborted before', () => {
    const reason = new Error('it leaves');
    const before = limitedSignal(LIMIT_MS, AbortSignal.abort(reason));
    assert.equal(before.signal.reason, reason);
    const other = new AbortController();
    const { signal } = limitedSignal(LIMIT_MS, other.signal);
    assert.equal(signal.aborted, false);
    other.abort(reason);
    assert.equal(signal.reason, reason);
  });

  it('never comes once it is ended', async () => {
    const other = new AbortController();
    const { signal, end } = limitedSignal(1, other.signal);
    end();
    await new Promise((resolve) => setTimeout(resolve, 5));
    other.abort();
    assert.equal(signal.aborted, false);
  });
});
