import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { brokerEpochs } from '../../journal/epochs/epoch-source.js';
import { GROUPING } from '../../journal/append/grouping.js';
import { Producer } from '../../journal/producer/producer.js';
import { openBrokerEpoch } from '../../journal/epochs/epoch.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson, jsonOrText } from '../../schemas/json.js';
import { MAX_HEADER_BYTES, MAX_RECORD_BYTES } from '../../schemas/log.js';
import { success } from '../support/either.js';
import { createLog, dial, identityOf, readAll } from '../support/log.js';
import { openBatches } from '../support/open-batches.js';
import { startServer, type TestServer } from '../support/server.js';

for (const durability of ['fsync', 'os'] as const)
  describe(`records and batches that the server refuses, grouped for ${durability}`, () => {
    let server: TestServer;
    let nc: NatsConnection;
    let under: number;
    let names = 0;

    before(async () => {
      server = await startServer({ name: 'refused', syncInterval: '2m' });
      nc = await dial(server);
      await createLog(nc);
      under = success(await openBrokerEpoch(nc)());
    });

    after(async () => {
      await nc?.close();
      await server?.[Symbol.asyncDispose]();
    });

    const open = async (): Promise<{ name: string; producer: Producer; reopened: string[] }> => {
      names += 1;
      const name = `p${names}`;
      const reopened: string[] = [];
      const producer = success(
        await Producer.open({
          nc,
          name,
          epochs: brokerEpochs({ nc, producer: name, under, prefixes: [`evt.${name}.`] }),
          grouping: GROUPING[durability],
          onReplaced: ({ message }) => reopened.push(message),
          onReopen: ({ message }) => reopened.push(message),
        })(),
      );
      return { name, producer, reopened };
    };

    it('I2 one whose headers or size are too large is refused alone, for good, and opens no epoch', async () => {
      const size = fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
        { weight: 2, arbitrary: fc.integer({ min: MAX_HEADER_BYTES - 700, max: MAX_HEADER_BYTES + 50 }) },
        { weight: 1, arbitrary: fc.integer({ min: MAX_HEADER_BYTES, max: 400_000 }) },
      );
      const payload = fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 200 }) },
        { weight: 1, arbitrary: fc.integer({ min: MAX_RECORD_BYTES - 70_000, max: MAX_RECORD_BYTES + 100 }) },
      );
      const records = fc.array(fc.record({ header: size, payload, wide: fc.boolean() }), {
        minLength: 20,
        maxLength: 60,
      });
      await fc.assert(
        fc.asyncProperty(records, async (all) => {
          const { name, producer, reopened } = await open();
          const outcomes = await Promise.all(
            all.map(({ header, payload: bytes, wide }, i) =>
              producer.append({
                subject: `evt.${name}.counted.a`,
                data: encodeJson({ i, pad: 'x'.repeat(bytes) }),
                // Two bytes a character are counted as the server counts them.
                headers: { [HEADER.trace]: wide ? 'ü'.repeat(header >> 1) : 'x'.repeat(header) },
              })(),
            ),
          );
          const stored = (await readAll(nc, [`evt.${name}.>`])).map(
            ({ data }) => (jsonOrText(data) as { i: number }).i,
          );
          const expected = outcomes.flatMap((outcome, i) => (isRight(outcome) ? [i] : []));
          assert.deepEqual(stored, expected);
          for (const [i, outcome] of outcomes.entries()) {
            const { header, payload: bytes } = all[i] as (typeof all)[number];
            if (isLeft(outcome)) {
              const { code, retryable } = outcome.left;
              assert.ok(code === 'HEADERS_TOO_LARGE' || code === 'PAYLOAD_TOO_LARGE', code);
              assert.equal(retryable, false);
            }
            // No stricter than it has to be.
            const fits = header < MAX_HEADER_BYTES - 600 && header + bytes < MAX_RECORD_BYTES - 700;
            if (fits) assert.ok(isRight(outcome), `record ${i} with ${header} and ${bytes} bytes`);
          }
          assert.deepEqual(reopened, []);
          await producer.close();
        }),
        { numRuns: 12 },
      );
    });

    it('I2 records go one by one, in order and in the same epoch, while the server takes no batch', async () => {
      const end = openBatches(nc);
      await nc.flush();
      const { name, producer, reopened } = await open();
      const outcomes = await Promise.all(
        Array.from({ length: 600 }, (_, i) =>
          producer.append({ subject: `evt.${name}.counted.a`, data: encodeJson({ i }) })(),
        ),
      );
      end();
      assert.deepEqual(
        outcomes.filter(isLeft).map(({ left }) => left.code),
        [],
      );
      assert.deepEqual(reopened, []);
      const stored = await readAll(nc, [`evt.${name}.>`]);
      assert.deepEqual(
        stored.map(({ data }) => (jsonOrText(data) as { i: number }).i),
        outcomes.map((_, i) => i),
      );
      assert.deepEqual(
        stored.map((message) => identityOf(message).n),
        outcomes.map((_, i) => i + 1),
      );
      assert.equal(new Set(stored.map((message) => identityOf(message).epoch)).size, 1);
      await producer.close();
    });
  });
