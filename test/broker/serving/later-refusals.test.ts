import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LaterRefusals, REFUSED_BY_MS, REFUSED_AFTER_MS } from '../../../broker/serving/later-refusals.js';
import { waitFor } from '../../support/wait-for.js';

test('each refusal is sent once, in its order, and none before its time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 500 }), async (count) => {
      const later = new LaterRefusals();
      const sent: number[] = [];
      const begun = performance.now();
      for (let i = 0; i < count; i++) {
        later.add(() => {
          // A timer may be a millisecond early by this clock.
          assert.ok(performance.now() - begun >= REFUSED_AFTER_MS - 2);
          sent.push(i);
        });
      }
      assert.deepEqual(sent, []);
      await waitFor('all refusals', () => sent.length === count);
      assert.deepEqual(sent, [...Array(count).keys()]);
    }),
    { numRuns: 3 },
  );
});

test('what waits to be refused is bounded: what is above it is refused at once', async () => {
  const later = new LaterRefusals(100);
  let sent = 0;
  for (let i = 0; i < 250; i++) later.add(() => (sent += 1));
  assert.equal(sent, 150);
  await waitFor('the others', () => sent === 250);
});

test('the more a connection is refused, the later it hears of it, and another connection does not', async () => {
  const later = new LaterRefusals();
  const begun = performance.now();
  const heard = new Map<string, number[]>();
  const ask = (connection: string, bytes?: number): void =>
    later.add(
      () => {
        const all = heard.get(connection) ?? [];
        all.push(performance.now() - begun);
        heard.set(connection, all);
      },
      connection,
      bytes,
    );
  const [many, large] = [20_000, 2_000];
  for (let i = 0; i < many; i++) ask('many');
  for (let i = 0; i < large; i++) ask('large', 250_000);
  ask('few');
  const atLeast = (connection: string, ms: number): boolean => (heard.get(connection)?.at(-1) ?? 0) >= ms - 2;
  await waitFor(
    'all refusals',
    () => heard.get('many')?.length === many && heard.get('large')?.length === large,
  );
  assert.ok(atLeast('many', REFUSED_BY_MS) && atLeast('large', REFUSED_BY_MS));
  const [few = Number.POSITIVE_INFINITY] = heard.get('few') ?? [];
  const before = [...(heard.get('many') ?? []), ...(heard.get('large') ?? [])].filter(
    (ms) => ms < few,
  ).length;
  assert.ok(few >= REFUSED_AFTER_MS - 2 && before < 2 * many);
  assert.ok((heard.get('many') ?? []).filter((ms) => ms >= few).length > many / 2);
});
