import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Gate } from '../../../modules/host/quarantine.js';

/** A gate, and the commands that have begun. */
const gateFor = (culprit: number | undefined) => {
  const gate = new Gate(culprit);
  const began: number[] = [];
  const pass = (...seqs: number[]): void => {
    for (const seq of seqs) gate.pass(seq, () => began.push(seq));
  };
  return { gate, began, pass };
};

describe('the gate behind a command that ended the process', () => {
  it('holds what comes behind it, in order, until it is answered', () => {
    const { gate, began, pass } = gateFor(5);
    pass(3, 5, 6, 9);
    assert.deepEqual(began, [3, 5]);
    gate.answered(3);
    assert.deepEqual(began, [3, 5]);
    gate.answered(5);
    pass(10);
    assert.deepEqual(began, [3, 5, 6, 9, 10]);
  });

  it('is open when there is none, and when it is never delivered again', () => {
    const open = gateFor(undefined);
    open.pass(1, 2);
    assert.deepEqual(open.began, [1, 2]);
    const gone = gateFor(5);
    gone.pass(3, 7, 8);
    assert.deepEqual(gone.began, [3, 7, 8]);
  });
});
