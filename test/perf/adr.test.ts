import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdrNumber } from '../../perf/adr/verdicts.js';
import { perf } from './perf.js';

test('adr has each number of the ADR, and a verdict that its figures bear out', async () => {
  const { code, stdout, stderr } = await perf(['adr', '--records', '5000', '--json']);
  assert.equal(code, 0, stderr);
  const { form, requirements } = (
    JSON.parse(stdout) as {
      readonly adr: { readonly form: string; readonly requirements: readonly AdrNumber[] };
    }
  ).adr;
  assert.equal(form, 'short');
  for (const { verdict, measured, asked, what } of requirements) {
    assert.equal(measured !== '', ['met', 'not met'].includes(verdict), what);
    assert.ok(asked !== '' && what !== '');
  }
  const parts = [...new Set(requirements.map(({ part }) => part))];
  const loads = ['steady state', 'peak load', 'sustained load', 'burst traffic'];
  assert.deepEqual(parts.slice(-4), loads);
  const lost = requirements.filter(({ what }) => what === 'acknowledged and lost');
  assert.deepEqual(
    lost.map(({ verdict }) => verdict),
    ['met', 'met', 'met', 'met'],
  );
});
