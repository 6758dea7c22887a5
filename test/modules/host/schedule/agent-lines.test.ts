import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AgentLines, KEPT } from '../../../../modules/host/schedule/agent-lines.js';

const anAgent = fc.constantFrom('', 'a', 'b', 'c');

describe('the line of each agent', () => {
  it('I5 gives the commands of one agent one at a time in their order, whenever each is over; none is left out', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anAgent, fc.boolean()), { maxLength: 80 }), (steps) => {
        const lines = new AgentLines<{ agent: string; seq: number }>();
        const [first, waiting] = [new Map<string, number>(), new Map<string, number[]>()];
        const end = (agent: string): void => {
          const expected = waiting.get(agent)?.shift();
          assert.equal(lines.next(agent)?.seq, expected);
          if (expected === undefined) first.delete(agent);
          else first.set(agent, expected);
        };
        for (const [seq, [agent, isOver]] of steps.entries()) {
          if (isOver && first.has(agent)) end(agent);
          const isFirst = lines.join({ agent, seq });
          assert.equal(isFirst, !first.has(agent));
          if (isFirst) first.set(agent, seq);
          else waiting.set(agent, [...(waiting.get(agent) ?? []), seq]);
        }
        for (const agent of [...first.keys()]) while (first.has(agent)) end(agent);
        assert.deepEqual([...waiting.values()].flat(), []);
      }),
    );
  });

  it('I5 lies on the shelf where it is long, also where the shelf takes only some, and keeps its order', () => {
    const anItem = fc.record({ agent: fc.constantFrom('a', 'a', 'a', 'b'), shelfTakes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 400 }), (items) => {
        const began: Record<string, number[]> = { a: [], b: [] };
        const aside = new Map<number, { agent: string; seq: number }>();
        let [takes, inMemory] = [true, 0];
        const lines = new AgentLines<{ agent: string; seq: number }>({
          put: (item) => {
            if (takes) aside.set(item.seq, item);
            return takes ? item.seq : undefined;
          },
          take: (place) => {
            const item = aside.get(place);
            aside.delete(place);
            return item;
          },
        });
        for (const [seq, { agent, shelfTakes }] of items.entries()) {
          takes = shelfTakes;
          if (lines.join({ agent, seq })) began[agent]?.push(seq);
          if (!shelfTakes) inMemory += 1;
        }
        assert.equal(lines.shelved, aside.size);
        // Nothing was over meanwhile: the first of each line has begun, and the first behind it are kept.
        assert.ok(items.length - lines.shelved <= inMemory + 2 * (KEPT + 1));
        for (const agent of ['a', 'b']) {
          for (let next = lines.next(agent); next !== undefined; next = lines.next(agent))
            began[agent]?.push(next.seq);
          assert.deepEqual(
            began[agent],
            [...items.keys()].filter((i) => items[i]?.agent === agent),
          );
        }
        assert.deepEqual([lines.shelved, aside.size], [0, 0]);
      }),
      { numRuns: 50 },
    );
  });

  it('a command that the shelf does not give back ends the line', () => {
    const lines = new AgentLines<{ agent: string; seq: number }>({ put: () => 1, take: () => undefined });
    for (let seq = 0; seq < KEPT + 2; seq++) lines.join({ agent: 'a', seq });
    assert.equal(lines.shelved, 1);
    for (let seq = 1; seq <= KEPT; seq++) assert.equal(lines.next('a')?.seq, seq);
    assert.equal(lines.next('a'), undefined);
    assert.equal(lines.join({ agent: 'a', seq: 100 }), true);
  });
});
