import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ABOVE_SHARE, LogShares } from '../../../broker/supervisor/log-shares.js';

describe('the shares of modules of the log', () => {
  const bytes = new Map<string, number>();
  const cut: string[] = [];
  const shares = (maxBytes: number): LogShares =>
    new LogShares({
      modules: () => ['small', 'large'],
      bytes: (module) => bytes.get(module) ?? 0,
      share: (module) => (module === 'small' ? 10 : 100),
      maxBytes: () => maxBytes,
      cut: (module, what) => cut.push(`${module}: ${what}`),
    });

  it('leave room for results of what a module began, and a module that stores on above that is cut off', () => {
    const watch = shares(1_000);
    bytes.set('small', 10 * (10 + ABOVE_SHARE)).set('large', 900);
    watch.look();
    assert.deepEqual(cut, []);
    bytes.set('small', 201);
    watch.look();
    assert.deepEqual(cut.splice(0), ['small: 20 percent of the log']);
  });

  it('do not end a process that stores nothing more, and no share is above the whole log', () => {
    const watch = shares(1_000);
    bytes.set('small', 500).set('large', 1_000);
    watch.look();
    watch.look();
    assert.equal(cut.splice(0).length, 1);
    bytes.set('small', 501);
    watch.look();
    assert.equal(cut.splice(0).length, 1);
  });

  it('do not hold for a log without a limit', () => {
    bytes.set('small', 1e15);
    shares(Number.POSITIVE_INFINITY).look();
    assert.deepEqual(cut, []);
  });
});
