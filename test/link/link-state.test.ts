import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { readPage } from '../../broker/schedules/page.js';
import { Appender } from '../../journal/append/appender.js';
import { Pull } from '../../journal/read/pull.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { linkState, tellRepliesLost } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { dial } from '../../link/dial.js';
import { startServer, type TestServer } from '../support/server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

const GROUPING = { window: 8, groupFrom: 2 };

/** Work that only the server ends. Each resolves when it is told that the connection is lost. */
const WORK: Readonly<Record<string, (nc: NatsConnection) => Promise<unknown>>> = {
  pull: (nc) =>
    new Promise((resolve) => {
      const onMessage = (): void => undefined;
      const pull = new Pull({ nc, apiPrefix: '$JS.API', consumer: 'any', onMessage, onBroken: resolve });
      pull.want(10);
    }),
  appender: (nc) =>
    new Promise((resolve) => {
      const options = { nc, producer: 'any', epoch: 1, next: 1, grouping: GROUPING };
      new Appender(options, (reason) => resolve(reason)).submit(
        { subject: 'evt.any.happened', data: Buffer.from('{}') },
        () => undefined,
      );
    }),
  'records by sequence': (nc) => recordsAt({ nc, prefix: '$JS.API' }, [1, 2])(),
  'a page of schedules': (nc) => readPage(nc, '>', 1).catch((error: unknown) => error),
  'a request': (nc) => linkedRequest(nc, 'any', '', { timeout: 600_000 }).catch((error: unknown) => error),
};

const SOON_MS = 2_000;

const endsSoon = async (work: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it waits for a reply that cannot come')), SOON_MS);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
};

describe('what waits for the server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const [name, begin] of Object.entries(WORK)) {
    it(`ends soon if the connection is lost, and if it was lost before: ${name}`, async () => {
      await using proxy = await startTcpProxy(Number(new URL(server.url).port));
      const nc = await dial({ servers: `127.0.0.1:${proxy.port}`, redialMs: 60_000 });
      // Nobody answers on these subjects; the reply of the server that says so must not end the work.
      for (const subject of ['$JS.API.>', 'any', 'evt.>'])
        nc.subscribe(subject, { callback: () => undefined });
      await nc.flush();
      const begun = begin(nc);
      await nc.flush();
      proxy.cut();
      await endsSoon(begun);
      await waitFor('the loss to be known', () => !linkState(nc).isUp);
      await endsSoon(begin(nc));
      await nc.close();
    });
  }

  it('a request ends when the other end has lost replies, and nothing else does', async () => {
    const nc = await dial({ servers: server.url, redialMs: 60_000 });
    for (const subject of ['$JS.API.>', 'any', 'evt.>']) nc.subscribe(subject, { callback: () => undefined });
    const ended = new Set<string>();
    for (const [name, begin] of Object.entries(WORK)) void begin(nc).then(() => ended.add(name));
    await nc.flush();
    tellRepliesLost(nc, 'the broker was away');
    await waitFor('the request to end', () => ended.has('a request'));
    assert.deepEqual([...ended], ['a request']);
    await nc.close();
  });
});
