import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Urgency } from '../../../../modules/host/schedule/urgency.js';
import { WaitingLine } from '../../../../modules/host/schedule/waiting-line.js';

const anAgent = fc.constantFrom('a', 'b', 'c', 'd');

describe('a waiting line', () => {
  it('I5 takes those of agents with an urgent command first, and all else in order; none is left out or doubled', () => {
    const step = fc.oneof(fc.record({ agent: anAgent, urgent: fc.boolean() }), fc.constant('take' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const urgency = new Urgency();
        const line = new WaitingLine<{ agent: string; seq: number }>(urgency);
        let model: { seq: number; agent: string; urgent: boolean }[] = [];
        for (const [seq, one] of [...steps, ...steps.map(() => 'take' as const)].entries()) {
          if (one !== 'take') {
            line.add({ agent: one.agent, seq });
            if (one.urgent) urgency.waits(seq, one.agent);
            model.push({ seq, ...one });
            continue;
          }
          const urgent = new Set(model.filter(({ urgent }) => urgent).map(({ agent }) => agent));
          const expected = model.find(({ agent }) => urgent.has(agent)) ?? model[0];
          assert.equal(line.take()?.seq, expected?.seq);
          model = model.filter((other) => other !== expected);
          if (expected?.urgent === true) urgency.over(expected.seq);
        }
        assert.deepEqual([model, line.length, urgency.any], [[], 0, false]);
      }),
    );
  });

  it('has senders take turns: none waits for more than one command of each other one', () => {
    const aSender = fc.constantFrom('guest', 'ci', 'orders');
    fc.assert(
      fc.property(fc.array(aSender, { maxLength: 60 }), (senders) => {
        const line = new WaitingLine<{ agent: string; sender: string; seq: number }>(new Urgency());
        for (const [seq, sender] of senders.entries()) line.add({ agent: `a${seq}`, sender, seq });
        const taken = senders.map(() => line.take());
        for (const sender of new Set(senders)) {
          const own = taken.filter((each) => each?.sender === sender);
          const sent = senders.flatMap((each, seq) => (each === sender ? [seq] : []));
          assert.deepEqual(
            own.map((each) => each?.seq),
            sent,
          );
          for (const [turn, command] of own.entries()) assert.ok(taken.indexOf(command) < (turn + 1) * 3);
        }
      }),
    );
  });

  it('takes 100,000 without growing slower', () => {
    const line = new WaitingLine<{ agent: string; seq: number }>(new Urgency());
    for (let seq = 0; seq < 100_000; seq++) line.add({ agent: 'a', seq });
    for (let seq = 0; seq < 100_000; seq++) assert.equal(line.take()?.seq, seq);
    assert.equal(line.take(), undefined);
  });

  it('an urgent command that is delivered again counts once', () => {
    const urgency = new Urgency();
    urgency.waits(5, 'a');
    urgency.waits(5, 'a');
    urgency.over(5);
    urgency.over(5);
    assert.deepEqual([urgency.has('a'), urgency.any], [false, false]);
  });
});
