import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perf } from './perf.js';

test('growth measures logs, agents, modules and lookups at each size', async () => {
  const { code, stdout, stderr } = await perf(['growth', '--records', '10000', '--json']);
  assert.equal(code, 0, stderr);
  const { log, agents, modules, lookups } = (
    JSON.parse(stdout) as {
      readonly growth: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;
    }
  ).growth;
  assert.deepEqual(
    log?.map(({ records }) => records),
    [10_000],
  );
  assert.deepEqual(
    agents?.map((each) => each.agents),
    [10, 1_000, 10_000],
  );
  assert.deepEqual(
    modules?.map((each) => each.modules),
    [1, 10],
  );
  assert.deepEqual(
    lookups?.map((each) => each.agents),
    [1_000, 10_000],
  );
  for (const point of [...(log ?? []), ...(agents ?? []), ...(modules ?? [])])
    for (const value of Object.values(point)) assert.ok(value > 0);
});
