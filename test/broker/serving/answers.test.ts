import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { encodeAnswer, shortened } from '../../../broker/serving/answer.js';
import { HEADER } from '../../../schemas/headers.js';
import { OPS } from '../../../schemas/operate.js';
import {
  MAX_WHEN_TEXT,
  SCHEDULE_HEADER,
  type ScheduleDetails,
  type SchedulePage,
} from '../../../schemas/schedule.js';
import { awkwardName, nested, rawHeaders } from '../../support/awkward.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { writeShippedModule } from '../../support/module-dir.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

/** A broker that is deaf is so for 15 s and more; one that is only slow answers long before. */
const NOT_DEAF_MS = 8_000;

describe('an answer', () => {
  it('is encoded or refused, and throws for no depth, size or circle', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom(100, 6_000, 20_000).map((depth) => JSON.parse(nested(depth)) as unknown),
      fc.integer({ min: 0, max: 4_000 }).map((length) => '\u0000ü'.repeat(length)),
      awkwardName(),
    );
    const circle: { self?: object } = {};
    circle.self = circle;
    fc.assert(
      fc.property(value, fc.integer({ min: 10, max: 3_000 }), (data, most) => {
        const encoded = encodeAnswer({ data }, most);
        if (isRight(encoded)) assert.ok(encoded.right.length <= most);
        else assert.ok(['ANSWER_TOO_LARGE', 'INTERNAL'].includes(encoded.left.code));
      }),
    );
    const refused = encodeAnswer(circle, 1_000);
    assert.ok(isLeft(refused) && refused.left.code === 'INTERNAL');
  });

  it('that is a no always fits, whatever it quotes', () => {
    fc.assert(
      fc.property(awkwardName(), awkwardName(), (message, path) => {
        const problem = shortened({ code: 'PAYLOAD_INVALID', message, path, retryable: false });
        assert.ok(JSON.stringify(problem).length < 60_000);
      }),
    );
  });
});

describe('a request to schedule', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let guest: NatsConnection;
  let operator: NatsConnection;

  before(async () => {
    dir = tempDir();
    // A separate program, as one in another language is: it decides what its payloads are.
    const module = await writeShippedModule(dir.path, 'accounts', {}, ['--no-warnings']);
    broker = await startBroker({ shipped: [], args: ['--module', module] });
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
  });

  after(async () => {
    await Promise.all([guest?.close(), operator?.close()]);
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const ask = async <T>(subject: string, body: object = {}): Promise<T> =>
    (await operator.request(subject, JSON.stringify(body), { timeout: NOT_DEAF_MS })).json<T>();
  const schedule = async (payload: string | Uint8Array, extra: Readonly<Record<string, string>>) => {
    const headers = makeHeaders();
    for (const [name, value] of Object.entries(extra)) headers.set(name, value);
    const reply = await guest.request('schedule.accounts.deposit.x', payload, {
      headers,
      timeout: NOT_DEAF_MS,
    });
    return reply.json<{ status: string; data?: { id: string }; error?: { code: string; message: string } }>();
  };

  it('is refused by text that is too long before it is read, and the next one is answered', async () => {
    const text = fc.oneof(
      fc.integer({ min: MAX_WHEN_TEXT + 1, max: 450_000 }).map((n) => '*,'.repeat(n).slice(0, n)),
      fc.integer({ min: MAX_WHEN_TEXT + 1, max: 450_000 }).map((n) => '1'.repeat(n)),
      fc.constantFrom('constructor', '__proto__', 'toString', '@constructor', '1h'.repeat(200_000)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(SCHEDULE_HEADER)), text, async (name, value) => {
        const block = Buffer.from(`NATS/1.0\r\n${name}: ${value}\r\n\r\n`);
        const reply = await guest.request('schedule.accounts.deposit.x', '{"amount":1}', {
          headers: rawHeaders(block),
          timeout: NOT_DEAF_MS,
        });
        const { error } = reply.json<{ error?: { code: string } }>();
        assert.equal(error?.code, 'SCHEDULE_INVALID', reply.string().slice(0, 200));
      }),
      { numRuns: 40 },
    );
  });

  it('with headers above what a record holds is refused alone, and for good', async () => {
    const header = { [SCHEDULE_HEADER.in]: '1h', [HEADER.trace]: 'x'.repeat(66_000) };
    const refused = await schedule('{"amount":1}', header);
    assert.equal(refused.error?.code, 'HEADERS_TOO_LARGE');
    assert.equal((await schedule('{"amount":1}', { [SCHEDULE_HEADER.in]: '1h' })).status, 'ok');
  });

  it('is shown whatever its payload is: without it where that does not fit', async () => {
    const kept: string[] = [];
    // Bytes that are no UTF-8 become three each, and control characters six.
    for (const payload of [
      '{"amount":1}',
      Buffer.alloc(250_000, 1),
      Buffer.alloc(200_000, 0xff),
      nested(6_000),
    ]) {
      const type = { [SCHEDULE_HEADER.in]: '1h', [HEADER.contentType]: 'application/octet-stream' };
      const { data, error } = await schedule(payload, type);
      assert.equal(error, undefined);
      const shown = await ask<ScheduleDetails>(OPS.scheduleShow, { id: data?.id });
      assert.equal(shown.id, data?.id);
      assert.equal(shown.dataBytes, payload.length);
      kept.push(shown.id);
    }
    const deep = await schedule(nested(6_000), { [SCHEDULE_HEADER.in]: '1h' });
    assert.equal(deep.error?.code, 'PAYLOAD_INVALID');
    const page = await ask<SchedulePage>(OPS.scheduleList);
    for (const id of kept) assert.ok(page.schedules.some((one) => one.id === id));
  });

  it('is listed in pages: none is left out or there twice', async () => {
    const many = 700;
    await Promise.all(
      Array.from({ length: many }, () => schedule('{"amount":1}', { [SCHEDULE_HEADER.every]: '1h' })),
    );
    const ids: string[] = [];
    for (let from: number | null = 1; from !== null; ) {
      const page: SchedulePage = await ask<SchedulePage>(OPS.scheduleList, { from });
      ids.push(...page.schedules.map(({ id }) => id));
      from = page.next;
    }
    assert.ok(ids.length >= many, `${ids.length}`);
    assert.equal(new Set(ids).size, ids.length);
  });
});
