import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentStates, type Snapshot } from '../../../store/snapshots/agent-states.js';
import { KEEP_EVERY } from '../../../store/snapshots/snapshot-group.js';

/** More states than are held in memory. */
const MANY = 100_000;

test('I6 a change to keep that comes while its agent is written is not forgotten when memory is short', () => {
  const written = new Map<string, Snapshot>();
  const states = new AgentStates(0, (agent) => written.get(agent));
  const add = (seq: number): void => {
    states.change('a', seq, 0, (states.get('a').state as number) + 1);
  };
  for (let seq = 1; seq < KEEP_EVERY; seq++) add(seq);
  const first = states.take();
  add(KEEP_EVERY);
  for (const { agent, sequences, state } of first.changes) {
    written.set(agent, { seq: sequences.at(-1) ?? 0, state: JSON.parse(state), changes: sequences.length });
  }
  states.written(first);
  for (let i = 0; i < MANY; i++) states.get(`other-${i}`);
  assert.ok(states.size < MANY, 'others had to go');
  const { seq, state } = states.get('a');
  assert.deepEqual([seq, state], [KEEP_EVERY, KEEP_EVERY]);
  const [kept, ...none] = states.take().changes;
  assert.deepEqual([kept?.keep, kept?.state, none], [true, String(KEEP_EVERY), []]);
});
