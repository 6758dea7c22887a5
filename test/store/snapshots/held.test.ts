import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldStates } from '../../../store/snapshots/held-states.js';

/** Room for about this many small states. */
const ROOM = 100;
const STATE_BYTES = 100;
const held = (): HeldStates<number> => new HeldStates(ROOM * (400 + STATE_BYTES));

const written = (states: HeldStates<number>, key: string, value: number): void => {
  states.change(key, value);
  states.saved(key, STATE_BYTES);
};

describe('states in memory', () => {
  it('are no more than there is room for, however many come and however often', () => {
    const states = held();
    for (let i = 0; i < 50 * ROOM; i++) {
      written(states, `a${i % (10 * ROOM)}`, i);
      assert.ok(states.size <= ROOM + 1 && states.size >= Math.min(i + 1, ROOM / 2 - 1), `${states.size}`);
    }
  });

  it('have their last value, and stay while they are used', () => {
    const states = held();
    states.set('busy', 0);
    for (let i = 1; i <= 10 * ROOM; i++) {
      states.set(`a${i}`, i);
      assert.equal(states.get('busy'), i - 1);
      written(states, 'busy', i);
    }
    assert.equal(states.get('a1'), undefined);
    assert.equal(states.get(`a${10 * ROOM}`), 10 * ROOM);
  });

  it('stay while no snapshot has them, and go when one does', () => {
    const states = held();
    for (let i = 0; i < 5 * ROOM; i++) states.change(`dirty${i}`, i);
    for (let i = 0; i < 5 * ROOM; i++) states.set(`a${i}`, i);
    for (let i = 0; i < 5 * ROOM; i++) assert.equal(states.get(`dirty${i}`), i);
    for (let i = 0; i < 5 * ROOM; i++) states.saved(`dirty${i}`, STATE_BYTES);
    for (let i = 0; i < 5 * ROOM; i++) written(states, `b${i}`, i);
    assert.ok(states.size <= ROOM + 1, `${states.size}`);
  });

  it('count with what they have become', () => {
    const states = held();
    for (let i = 0; i < ROOM / 2; i++) {
      states.change(`a${i}`, i);
      states.saved(`a${i}`, 50 * STATE_BYTES);
    }
    assert.ok(states.size <= ROOM / 4, `${states.size}`);
  });
});
