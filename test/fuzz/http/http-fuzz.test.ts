import assert from 'node:assert/strict';
import { it } from 'node:test';
import { byForm } from '../../support/form.js';
import { runHttpFuzz } from './run-http-fuzz.js';

/** `npm run test:fuzz -- http` sends a million. */
const [REQUESTS, HELD] = byForm<readonly [number, number]>({ short: [1_500, 40], deep: [20_000, 200] });

it(`${REQUESTS} malformed requests over HTTP have typed answers, and end or grow nothing`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { findings, lines } = await runHttpFuzz({ requests: REQUESTS, seed, held: HELD }, () => undefined);
  process.stdout.write(`seed ${seed}\n${lines.join('\n')}\n`);
  assert.deepEqual(findings, []);
});
