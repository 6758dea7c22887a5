import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { byForm } from '../support/form.js';
import { tempDir } from '../support/temp-dir.js';

const THREADS = 4;
const ROUNDS = byForm({ short: 25, deep: 100 });

/** Opens a key in each round, at the same moment as the other threads: they spin until all have arrived. */
const CODE = `
const { parentPort, workerData: { dir, rounds, threads, url, gate } } = require('node:worker_threads');
import(url).then(({ openSigningKey }) => {
  const arrived = new Int32Array(gate);
  const keys = [];
  for (let round = 0; round < rounds; round++) {
    Atomics.add(arrived, 0, 1);
    while (Atomics.load(arrived, 0) < (round + 1) * threads);
    const opened = openSigningKey(dir + '/' + round + '/key.pem', true);
    keys.push(opened.right?.publicKey ?? opened.left.message);
  }
  parentPort.postMessage(keys);
});
`;

test('threads that make a signing key at the same moment all have the same key', async () => {
  await using home = tempDir();
  const gate = new SharedArrayBuffer(4);
  const url = new URL('../../replay/verify/signing-key.js', import.meta.url).href;
  const workerData = { dir: home.path, rounds: ROUNDS, threads: THREADS, url, gate };
  const threads = Array.from({ length: THREADS }, () => new Worker(CODE, { eval: true, workerData }));
  const [first, ...others] = await Promise.all(
    threads.map(
      (thread) => new Promise<string[]>((done, fail) => thread.once('message', done).once('error', fail)),
    ),
  );
  for (const keys of others) assert.deepEqual(keys, first);
  assert.equal(new Set(first).size, ROUNDS);
  for (const key of first ?? []) assert.match(key, /^[A-Za-z0-9+/]{43}=$/);
  for (let round = 0; round < ROUNDS; round++) {
    assert.deepEqual(readdirSync(join(home.path, `${round}`)), ['key.pem']);
    assert.equal(statSync(join(home.path, `${round}`, 'key.pem')).mode & 0o777, 0o600);
  }
});
