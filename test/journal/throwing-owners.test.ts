import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import fc from 'fast-check';
import type { NatsConnection } from 'nats';
import { dial } from '../../link/dial.js';
import { Pull } from '../../journal/read/pull.js';
import { readLog } from '../../journal/read/reader.js';
import { Waker } from '../../system/async/waker.js';
import { ensureCommandConsumer } from '../../broker/supervisor/command-consumer.js';
import { FaultError, type Fault, fault } from '../../schemas/errors.js';
import { commandConsumer, LOG, PULL_GROUP } from '../../schemas/log.js';
import { createLog } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const RECORDS = 300;
const MODULES = ['bad', 'good'] as const;

/** The connection as it is, but for one member: whoever reads it finds that one instead. */
const withMember = (nc: NatsConnection, name: string, value: unknown): NatsConnection =>
  new Proxy(nc, {
    get: (target, key) => {
      if (key === name) return value;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

const thing = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.constantFrom(undefined, null, '', 'text', 0, Symbol('thrown')),
    fc.string({ maxLength: 20_000 }).map((text) => new Error(text)),
    fc.constant(new RangeError('Maximum call stack size exceeded')),
    fc.constant(new FaultError(fault('NAME_INVALID', 'a name'))),
  );

describe('what the owner of a pull or a reader throws', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let told: string[] = [];

  before(async () => {
    server = await startServer({ name: 'throwing' });
    nc = await dial({ servers: server.url, redialMs: 50, onThrown: (text) => told.push(text) });
    await createLog(nc);
    const jsm = await jetstreamManager(nc);
    for (const module of MODULES) await ensureCommandConsumer(jsm, module);
    const js = jetstream(nc);
    for (let i = 0; i < RECORDS; i++)
      await js.publish(`cmd.${i % 2 === 0 ? 'bad' : 'good'}.act.a.guest`, `{"i":${i}}`);
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const reset = async (): Promise<void> => {
    const jsm = await jetstreamManager(nc);
    for (const module of MODULES) {
      await jsm.consumers.unpin(LOG, commandConsumer(module), PULL_GROUP);
      await jsm.consumers.reset(LOG, commandConsumer(module), 1);
    }
  };

  test('breaks that pull alone, with a typed fault, and the connection hears on', async () => {
    const broken = { at: fc.nat(RECORDS / 2 - 1), what: thing(), again: thing(), isFast: fc.boolean() };
    await fc.assert(
      fc.asyncProperty(fc.record(broken), async ({ at, what, again, isFast }) => {
        await reset();
        const got: Record<(typeof MODULES)[number], number> = { bad: 0, good: 0 };
        const faults: Fault[] = [];
        const over = isFast ? nc : withMember(nc, 'protocol', undefined);
        const pulls = MODULES.map(
          (module) =>
            new Pull({
              nc: over,
              apiPrefix: '$JS.API',
              consumer: commandConsumer(module),
              onMessage: () => {
                if (module === 'bad' && got.bad === at) throw what;
                got[module] += 1;
              },
              onBroken: (reason) => {
                faults.push(reason);
                throw again;
              },
            }),
        );
        for (const pull of pulls) pull.want(RECORDS);
        await waitFor('the fault', () => faults.length > 0, 5_000);
        await waitFor('all of the other pull', () => got.good === RECORDS / 2, 5_000);
        assert.deepEqual(
          faults.map(({ code }) => code),
          ['INTERNAL'],
        );
        assert.equal(got.bad, at);
        // The read loop of this very connection lives.
        await nc.request('$JS.API.INFO', '', { timeout: 2_000 });
        for (const pull of pulls) pull.close();
      }),
      { numRuns: 20 },
    );
    assert.ok(told.length > 0 && told.length < 10, `${told.length} lines: ${told.join('\n')}`);
  });

  test('is made up for by a reader: it begins again behind the last record that it gave', async (t) => {
    told = [];
    let passed = 0;
    const { wake } = Waker.prototype;
    t.mock.method(Waker.prototype, 'wake', function (this: Waker) {
      // Where a record is taken, and before whoever waits for it learns of it.
      if (new Error('here').stack?.includes('receiveRecord') === true && [2, 9, 30].includes(++passed))
        throw new Error('no more');
      wake.call(this);
    });
    const seen: number[] = [];
    for await (const { seq } of readLog(nc)) seen.push(seq);
    assert.ok(passed > 30, `${passed}`);
    assert.deepEqual(
      seen,
      Array.from({ length: RECORDS }, (_, i) => i + 1),
    );
    await nc.request('$JS.API.INFO', '', { timeout: 2_000 });
  });
});
