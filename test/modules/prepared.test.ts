import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import { type TaskProducer, createClient, createProducer } from '../../modules/client/index.js';
import accounts from '../../modules/accounts/index.js';
import type { Fault } from '../../schemas/errors.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { connectOperator } from '../support/log-checks.js';
import { readAll } from '../support/log.js';

const { manifest: accountsManifest } = accounts;

const circle = (): object => {
  const self: Record<string, unknown> = {};
  self.self = self;
  return self;
};
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};

/** What can never be sent, and what is said of it. */
const unsendable = fc.oneof(
  fc.constant([circle(), 'PAYLOAD_NOT_JSON'] as const),
  fc.bigInt().map((n) => [{ amount: n }, 'PAYLOAD_NOT_JSON'] as const),
  fc.constantFrom([() => 1, 'PAYLOAD_NOT_JSON'] as const, [Symbol('x'), 'PAYLOAD_NOT_JSON'] as const),
  fc.constant([
    {
      toJSON: () => {
        throw new Error('no');
      },
    },
    'PAYLOAD_NOT_JSON',
  ] as const),
  fc.integer({ min: 501, max: 60_000 }).map((levels) => [deep(levels), 'PAYLOAD_INVALID'] as const),
  fc.integer({ min: 983_040, max: 3_000_000 }).map((n) => ['x'.repeat(n), 'PAYLOAD_TOO_LARGE'] as const),
);

let broker: TestBroker;
let nc: NatsConnection;
let producer: TaskProducer;

before(async () => {
  broker = await startBroker({ args: ['--durability', 'os'] });
  nc = await connect({ servers: broker.url });
  producer = success(await createProducer(nc, { name: 'sensor' })());
});
after(async () => {
  await producer?.close();
  await nc?.close();
  await broker?.[Symbol.asyncDispose]();
});

const codeOf = (outcome: E.Either<unknown, unknown>): string => {
  assert.ok(E.isLeft(outcome), JSON.stringify(outcome));
  const said = outcome.left as Partial<Fault> & { error?: Fault };
  return (said.error ?? said).code as string;
};

/** Each way to send, by what it is said to have come to. */
const ways = (agent: string | undefined, data: unknown, options = {}) => {
  const client = createClient(nc);
  const given = [accountsManifest, 'deposit', agent, data as never, options] as const;
  return [
    client.call(...given),
    client.callWithReceipt(...given),
    client.send(...given),
    producer.send(...given),
    producer.accept(...given),
  ];
};

describe('what is known to be wrong is refused before it is sent', () => {
  it('payloads: no way to send throws, and none says that it may be recorded', async () => {
    const stored = async (): Promise<number> => {
      const operator = await connectOperator(broker.dataDir);
      try {
        return (await readAll(operator, ['cmd.>'])).length;
      } finally {
        await operator.close();
      }
    };
    const before = await stored();
    await fc.assert(
      fc.asyncProperty(unsendable, async ([data, code]) => {
        for (const way of ways('alice', data)) assert.equal(codeOf(await way()), code);
      }),
      { numRuns: 30 },
    );
    assert.equal(await stored(), before);
  });

  it('names, deadlines and priorities', async () => {
    const notName = fc
      .string({ minLength: 1, maxLength: 80 })
      .filter((text) => !/^[A-Za-z0-9_-]{1,64}$/.test(text));
    await fc.assert(
      fc.asyncProperty(notName, async (agent) => {
        for (const way of ways(agent, { amount: 1 })) assert.equal(codeOf(await way()), 'NAME_INVALID');
      }),
      { numRuns: 30 },
    );
    for (const way of ways('alice', { amount: 1 }, { deadline: new Date(Number.NaN) }))
      assert.equal(codeOf(await way()), 'HEADER_INVALID');
    const client = createClient(nc);
    assert.equal(
      codeOf(
        await client.call(
          accountsManifest,
          'deposit',
          'alice',
          { amount: 1 },
          { priority: 'now\r\n' as never },
        )(),
      ),
      'HEADER_INVALID',
    );
  });

  it('a wait that is longer than a timer takes is a long wait', async () => {
    const client = createClient(nc);
    for (const timeoutMs of [2 ** 31, 1e12, Number.POSITIVE_INFINITY])
      success(await client.call(accountsManifest, 'deposit', 'alice', { amount: 1 }, { timeoutMs })());
  });

  it('a connection that is closed', async () => {
    const closed = await connect({ servers: broker.url });
    await closed.close();
    const client = createClient(closed);
    for (const way of [client.call, client.send])
      assert.equal(
        codeOf(await way(accountsManifest, 'deposit', 'alice', { amount: 1 })()),
        'LOG_UNAVAILABLE',
      );
  });
});
