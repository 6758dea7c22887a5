import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FAMILY_NAMES } from './families/families.js';
import { runFuzz } from './run-fuzz.js';
import { byForm } from '../support/form.js';

/** `npm run test:fuzz` sends a million. */
const INPUTS = byForm({ short: 4_000, deep: 20_000 });
/** Not manifests: a directory that the broker cannot read to its end takes its time, and has tests of its own. */
const NAMES = FAMILY_NAMES.filter((name) => name !== 'manifests');

it(`I12 nothing of ${INPUTS} generated inputs ends, mutes or grows the broker`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const report = await runFuzz({ inputs: INPUTS, seed, from: 0, only: NAMES }, () => undefined);
  process.stdout.write(`seed ${seed}\n${report.lines.join('\n')}\n`);
  assert.deepEqual(report.findings, []);
  assert.equal(report.inputs, INPUTS);
});
