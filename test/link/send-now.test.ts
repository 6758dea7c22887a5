import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { sendNow } from '../../link/client-insides.js';
import { dial } from '../../link/dial.js';
import { startServer } from '../support/server.js';

/** Subscribes, says that it does, and wakes the waiting thread up when a message comes. */
const LISTENER = `
  import { workerData, parentPort } from 'node:worker_threads';
  import { connect } from 'nats';
  const { url, cell } = workerData;
  const nc = await connect({ servers: url });
  nc.subscribe('beat', {
    callback: () => {
      Atomics.store(cell, 0, 1);
      Atomics.notify(cell, 0);
    },
  });
  await nc.flush();
  parentPort.once('message', () => nc.close());
  parentPort.postMessage('ready');
`;

test('what is published arrives while the thread that published it does not return from its work', async () => {
  await using server = await startServer();
  const nc = await dial({ servers: server.url, redialMs: 100 });
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const source = new URL(`data:text/javascript,${encodeURIComponent(LISTENER)}`);
  // A module of a data URL finds no package; this one is given the place of the client.
  const withClient = new URL(
    source.href.replace(encodeURIComponent("'nats'"), encodeURIComponent(`'${import.meta.resolve('nats')}'`)),
  );
  const listener = new Worker(withClient, { workerData: { url: server.url, cell } });
  await new Promise((resolve) => listener.once('message', resolve));
  try {
    nc.publish('beat', '');
    sendNow(nc);
    // The thread stands still until the message has arrived. 'not-equal': it had arrived before the thread stood still.
    assert.notEqual(Atomics.wait(cell, 0, 0, 30_000), 'timed-out');
  } finally {
    listener.postMessage('end');
    await new Promise((resolve) => listener.once('exit', resolve));
    await nc.close();
  }
});
