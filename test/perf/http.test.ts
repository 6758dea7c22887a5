import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perf } from './perf.js';

test('http compares states, calls and commands with a constant route and with NATS', async () => {
  const { code, stdout, stderr } = await perf(['http', '--rounds', '1', '--seconds', '0.2', '--json']);
  assert.equal(code, 0, stderr);
  const { http, ratios } = JSON.parse(stdout) as {
    readonly http: {
      readonly figures: Readonly<
        Record<string, Readonly<Record<string, { readonly perSecond: { median: number } }>>>
      >;
      readonly scrape: { readonly bytes: number };
    };
    readonly ratios: Readonly<Record<string, number>>;
  };
  assert.equal(Object.keys(http.figures).length, 7);
  for (const byCount of Object.values(http.figures)) {
    assert.deepEqual(Object.keys(byCount), ['1', '10', '100']);
    for (const { perSecond } of Object.values(byCount)) assert.ok(perSecond.median > 0);
  }
  assert.ok(http.scrape.bytes > 1_000);
  for (const name of ['stateOverConstant1', 'callP50OverNats']) assert.ok((ratios[name] ?? 0) > 0);
});
