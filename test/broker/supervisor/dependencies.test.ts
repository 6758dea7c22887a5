import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { startOrder } from '../../../broker/supervisor/dependencies.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';

type Needs = Readonly<Record<string, readonly string[]>>;

/** Modules by name, each needing `echo` of others. */
const modules = (needs: Needs): ReadonlyMap<string, Manifest> =>
  new Map(
    Object.entries(needs).map(([name, others]) => [
      name,
      plain(name, Object.fromEntries(others.map((other) => [other, ['echo']]))) as Manifest,
    ]),
  );

/** What cannot start, by the definition: it needs what is not there, or itself, or what cannot start. */
const cannotStart = (needs: Needs): Set<string> => {
  const can = new Set<string>();
  for (let before = -1; can.size !== before; ) {
    before = can.size;
    for (const [name, others] of Object.entries(needs))
      if (others.every((one) => can.has(one))) can.add(name);
  }
  return new Set(Object.keys(needs).filter((name) => !can.has(name)));
};

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const anyNeeds: fc.Arbitrary<Needs> = fc
  .dictionary(name, fc.uniqueArray(name, { maxLength: 3 }))
  .map((needs) =>
    Object.fromEntries(
      Object.entries(needs).map(([one, others]) => [one, others.filter((it) => it !== one)]),
    ),
  );

describe('the order in which modules start', () => {
  it('each after those that it needs; what cannot start is refused, and nothing else is', () => {
    fc.assert(
      fc.property(anyNeeds, (needs) => {
        const { groups, refused } = startOrder(modules(needs));
        const order = groups.flat();
        assert.deepEqual(new Set(refused.keys()), cannotStart(needs));
        assert.deepEqual([...order, ...refused.keys()].sort(), Object.keys(needs).sort());
        const started = new Set<string>();
        for (const group of groups) {
          for (const one of group) for (const other of needs[one] ?? []) assert.ok(started.has(other));
          for (const one of group) started.add(one);
        }
      }),
    );
  });

  it('modules that do not need each other start side by side', () => {
    const { groups } = startOrder(
      modules({ top: ['left', 'right'], left: ['base'], right: ['base'], base: [] }),
    );
    assert.deepEqual(groups, [['base'], ['left', 'right'], ['top']]);
  });

  it('a circle is named as one walks it', () => {
    const { refused } = startOrder(modules({ a: ['b'], b: ['c'], c: ['a'], d: ['a'], e: [] }));
    assert.equal(refused.get('a')?.code, 'DEPENDENCY_CYCLE');
    assert.match(refused.get('a')?.message ?? '', /a → b → c → a$/);
    assert.match(refused.get('d')?.message ?? '', /a → b → c → a$/);
    assert.equal(refused.has('e'), false);
  });

  it('what is missing is named, down to the action, and also by those that need it through another', () => {
    const all = new Map(modules({ top: ['middle'], middle: [], base: [] }));
    all.set('middle', plain('middle', { base: ['echo', 'sing'] }) as Manifest);
    const { refused } = startOrder(all);
    assert.equal(refused.get('middle')?.code, 'DEPENDENCY_MISSING');
    assert.match(refused.get('middle')?.message ?? '', /needs base\.sing/);
    assert.match(refused.get('top')?.message ?? '', /needs middle, which cannot start/);
  });

  it('no object has the action `toString`', () => {
    const all = new Map(modules({ base: [] }));
    all.set('top', plain('top', { base: ['toString'] }) as Manifest);
    assert.match(startOrder(all).refused.get('top')?.message ?? '', /needs base\.toString/);
  });
});
