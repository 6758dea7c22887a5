import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { BatchCredit } from '../../../broker/intake/batch-credit.js';

const MOST = 2;
const BATCHES = 20_000;

/** Posts as the thread that reads does: at most so many ahead, and it sleeps until it is woken up. */
const CODE = `
const { parentPort, workerData: { url, shared, most, batches } } = require('node:worker_threads');
import(url).then(({ BatchCredit }) => {
  const credit = new BatchCredit(shared);
  let posted = 0;
  const isFree = () => posted - credit.seen < most;
  const post = () => {
    while (posted < batches) {
      if (!isFree()) {
        credit.wait();
        if (!isFree()) return;
      }
      posted += 1;
      parentPort.postMessage(posted);
    }
  };
  parentPort.on('message', post);
  post();
});
`;

test('a thread that waits for credit is always woken up, and is never further ahead than it may be', async () => {
  const credit = new BatchCredit();
  const workerData = {
    url: new URL('../../../broker/intake/batch-credit.js', import.meta.url).href,
    shared: credit.shared,
    most: MOST,
    batches: BATCHES,
  };
  const worker = new Worker(CODE, { eval: true, workerData });
  let done = 0;
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject).on('message', (posted: number) => {
      assert.ok(posted - done <= MOST, `${posted} posted, ${done} done`);
      done += 1;
      if (credit.done()) worker.postMessage(undefined);
      if (done === BATCHES) resolve();
    });
  });
  await worker.terminate();
  assert.equal(credit.seen, BATCHES);
});
