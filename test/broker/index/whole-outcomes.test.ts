import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KeptRows } from '../../../broker/index/kept-rows.js';
import { WholeOutcomes } from '../../../broker/index/whole-outcomes.js';

const noFiles = {} as KeptRows;

describe('what the log has of a module', () => {
  it('I6 begins at its first result or event, also where its epoch record is lost', () => {
    const kinds = [
      'own result',
      'result of the broker',
      'event',
      'epoch',
      'command of it',
      'nothing',
    ] as const;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 12 }), (log) => {
        const outcomes = new WholeOutcomes(noFiles);
        for (const [at, kind] of log.entries()) {
          if (kind === 'own result') outcomes.result('accounts', at + 1, () => true);
          if (kind === 'result of the broker') outcomes.result('accounts', at + 1, () => false);
          if (kind === 'event') outcomes.event('accounts', at + 1);
          if (kind === 'epoch') outcomes.epoch('accounts');
          if (kind === 'command of it') outcomes.record('accounts', at + 1);
        }
        const wanted = log.findIndex((kind) => kind === 'own result' || kind === 'event') + 1;
        const { first } = outcomes.of('accounts');
        if (wanted === 0) return;
        assert.ok(first !== undefined && first <= wanted, `${first} is behind ${wanted}`);
      }),
    );
  });

  it('is not kept of modules that do not exist, whatever is asked of them', () => {
    const outcomes = new WholeOutcomes(noFiles);
    for (let i = 1; i <= 1_000; i++) outcomes.result(`nobody-${i}`, i, () => false);
    assert.equal(outcomes.changes, 0);
    assert.deepEqual(outcomes.of('nobody-7'), {});
  });
});
