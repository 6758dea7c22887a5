import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Lanes } from '../../../modules/host/lanes.js';
import { Slots } from '../../../modules/host/semaphore.js';
import { Turns } from '../../../modules/host/time-slices.js';
import { Urgency } from '../../../modules/host/urgency.js';
import { WaitingLine } from '../../../modules/host/waiting-line.js';
import { waitFor } from '../../support/wait-for.js';

const anAgent = fc.constantFrom('a', 'b', 'c', 'd');

describe('a waiting line', () => {
  it('I5 takes those of agents with an urgent command first, and all else in order; none is left out or doubled', () => {
    const step = fc.oneof(fc.record({ agent: anAgent, urgent: fc.boolean() }), fc.constant('take' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const urgency = new Urgency();
        const line = new WaitingLine<number>(urgency);
        let model: { seq: number; agent: string; urgent: boolean }[] = [];
        for (const [seq, one] of [...steps, ...steps.map(() => 'take' as const)].entries()) {
          if (one !== 'take') {
            line.add(one.agent, seq);
            if (one.urgent) urgency.waits(seq, one.agent);
            model.push({ seq, ...one });
            continue;
          }
          const urgent = new Set(model.filter(({ urgent }) => urgent).map(({ agent }) => agent));
          const expected = model.find(({ agent }) => urgent.has(agent)) ?? model[0];
          assert.equal(line.take(), expected?.seq);
          model = model.filter((other) => other !== expected);
          if (expected?.urgent === true) urgency.answered(expected.seq);
        }
        assert.deepEqual([model, line.length, urgency.any], [[], 0, false]);
      }),
    );
  });

  it('takes 100,000 without growing slower', () => {
    const line = new WaitingLine<number>(new Urgency());
    for (let i = 0; i < 100_000; i++) line.add('a', i);
    for (let i = 0; i < 100_000; i++) assert.equal(line.take(), i);
    assert.equal(line.take(), undefined);
  });
});

describe('an urgent command', () => {
  it('that is delivered again counts once', () => {
    const urgency = new Urgency();
    urgency.waits(5, 'a');
    urgency.waits(5, 'a');
    urgency.answered(5);
    urgency.answered(5);
    assert.deepEqual([urgency.has('a'), urgency.any], [false, false]);
  });

  it('gets the next place that is given, behind what its own agent sent before', () => {
    const urgency = new Urgency();
    const slots = new Slots(1, urgency);
    const began: string[] = [];
    for (const name of ['a1', 'b1', 'c1', 'd1']) slots.take(name.charAt(0), () => began.push(name));
    urgency.waits(7, 'c');
    slots.give();
    urgency.answered(7);
    slots.give();
    slots.give();
    assert.deepEqual(began, ['a1', 'c1', 'b1', 'd1']);
  });

  it('I5 has its turn before what waits of other agents, and after all of its own', async () => {
    const urgency = new Urgency();
    const turns = new Turns(urgency);
    const lanes = new Lanes<(next: () => void) => void>((step, next) => step(next));
    const handled: string[] = [];
    const deliver = (seq: number, agent: string, urgent = false): void => {
      if (urgent) urgency.waits(seq, agent);
      lanes.add(agent, (next) =>
        turns.take(agent, () => {
          handled.push(`${agent}${seq}`);
          urgency.answered(seq);
          next();
        }),
      );
    };
    for (const [i, agent] of ['a', 'b', 'c', 'c', 'd'].entries()) deliver(i, agent);
    deliver(5, 'c', true);
    deliver(6, 'c');
    await waitFor('all to be handled', () => handled.length === 7);
    // The first found nobody waiting; the next of an agent comes when the one before it is done.
    assert.deepEqual(handled.slice(0, 2), ['a0', 'c2']);
    const own = handled.filter((name) => name.startsWith('c'));
    assert.deepEqual(own, ['c2', 'c3', 'c5', 'c6']);
    assert.deepEqual([...handled].sort(), ['a0', 'b1', 'c2', 'c3', 'c5', 'c6', 'd4']);
  });

  it('is read while others are handled: each slice of work is short', async () => {
    const turns = new Turns(new Urgency());
    let done = 0;
    for (let i = 0; i < 50; i++) {
      turns.take(`agent-${i}`, () => {
        const until = performance.now() + 1;
        while (performance.now() < until);
        done += 1;
      });
    }
    let read = -1;
    setTimeout(() => {
      read = done;
    }, 5);
    await waitFor('all to be handled', () => done === 50);
    assert.ok(read >= 0 && read < 40, `${read} were handled before anything was read`);
  });
});
