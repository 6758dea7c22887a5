import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { checkPort, freePort } from '../../../system/processes/free-port.js';
import { portHolder } from '../../../system/processes/port-holder.js';
import { runScript } from './node-script.js';

const HOLDER = `
  import { createServer } from 'node:net';
  const server = createServer().listen(0, process.argv[1], () => console.log(server.address().port));
`;

describe('ports', () => {
  for (const host of ['127.0.0.1', '::1', '0.0.0.0']) {
    test(`the process that listens on ${host} is found, and named in the refusal`, async () => {
      const holder = runScript(HOLDER, [host]);
      const port = Number(await holder.nextLine());
      const found = await portHolder(port);
      assert.equal(found?.pid, holder.pid);
      assert.match(found.command, /node/);
      const checked = await checkPort(host, port)();
      assert.ok(isLeft(checked));
      assert.equal(checked.left.code, 'PORT_IN_USE');
      assert.equal(
        checked.left.message,
        `port ${port} on ${host} is in use by node (pid ${holder.pid}): stop it, or choose another port with ` +
          `--nats-port, or 0 for a free one`,
      );
      await holder.kill();
      assert.ok(isRight(await checkPort(host, port)()));
      assert.equal(await portHolder(port), undefined);
    });
  }

  test('a client that dials a port while it is tried is not kept waiting', async () => {
    const port = await freePort('127.0.0.1')();
    assert.ok(isRight(port));
    let [isOn, ended, begun] = [true, 0, 0];
    const dial = async (): Promise<void> => {
      while (isOn) {
        const socket = connect(port.right, '127.0.0.1');
        begun += 1;
        // Refused, or closed by who listened for a moment.
        await new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
        ended += 1;
      }
    };
    const dialling = Array.from({ length: 8 }, dial);
    for (let i = 0; i < 50; i++) assert.ok(isRight(await checkPort('127.0.0.1', port.right)()));
    isOn = false;
    await Promise.all(dialling);
    assert.equal(ended, begun);
  });

  test('a free port can be listened on', async () => {
    const port = await freePort('127.0.0.1')();
    assert.ok(isRight(port));
    const server = createServer().unref().listen(port.right, '127.0.0.1');
    await once(server, 'listening');
    assert.equal((server.address() as AddressInfo).port, port.right);
    server.close();
  });

  test('an address that is not of this machine is not called a port in use', async () => {
    const checked = await checkPort('192.0.2.1', 4222)();
    assert.ok(isLeft(checked));
    assert.equal(checked.left.code, 'SERVER_START_FAILED');
  });
});
