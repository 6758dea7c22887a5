import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { Appender, type Draft } from '../../broker/journal/appender.js';
import { openBrokerEpoch, openEpoch } from '../../broker/journal/epoch.js';
import { isWrittenBy } from '../../broker/journal/recovery.js';
import { Producer } from '../../broker/journal/producer.js';
import type { Fault } from '../../schemas/errors.js';
import { encodeJson, jsonOrText } from '../../schemas/json.js';
import { failure, success } from '../support/either.js';
import { createLog, dial, identityOf, readAll } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const draft = (name: string, i: number): Draft => ({
  subject: `evt.${name}.counted.a`,
  data: encodeJson({ i }),
});

const payloads = async (nc: NatsConnection, name: string): Promise<unknown[]> =>
  (await readAll(nc, [`evt.${name}.>`])).map(({ data }) => (jsonOrText(data) as { i: number }).i);

const unexpected = ({ message }: Fault): void => assert.fail(message);

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('appending', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let under: number;

  before(async () => {
    server = await startServer({ name: 'producer', syncInterval: '2m' });
    nc = await dial(server);
    await createLog(nc);
    under = success(await openBrokerEpoch(nc)());
  });

  after(async () => {
    await nc.close();
    await server[Symbol.asyncDispose]();
  });

  const epochOf = (producer: string) =>
    openEpoch({
      nc,
      producer,
      under,
      fromSeq: 1,
      filters: [`evt.${producer}.>`],
      believes: (message) => isWrittenBy(message, producer),
    });
  const appender = (producer: string, epoch: number): Appender =>
    new Appender({ nc, producer, epoch, next: 1 }, (reason, unsettled) => {
      for (const { settle } of unsettled) settle({ _tag: 'Left', left: reason });
    });

  test('I1 I2 records are stored once, in the order they were given, numbered without a gap', async () => {
    const { epoch } = success(await epochOf('orderly')());
    const journal = appender('orderly', epoch);
    const receipts = await Promise.all(range(5_000).map((i) => journal.append(draft('orderly', i))()));
    assert.ok(receipts.every(isRight));
    const stored = await readAll(nc, ['evt.orderly.>']);
    assert.deepEqual(
      stored.map((message) => identityOf(message).n),
      range(5_000).map((i) => i + 1),
    );
    assert.deepEqual(
      stored.map(({ seq }) => seq),
      receipts.map((receipt) => success(receipt).seq),
    );
    assert.deepEqual(await payloads(nc, 'orderly'), range(5_000));
    journal.close();
  });

  test('I2 the server refuses every record of a producer that has been replaced', async () => {
    const old = appender('replaced', success(await epochOf('replaced')()).epoch);
    success(await old.append(draft('replaced', 0))());
    success(await epochOf('replaced')());
    const late = await Promise.all(range(1_000).map((i) => old.append(draft('replaced', i + 1))()));
    assert.ok(late.every(isLeft));
    assert.equal(
      late.every((outcome) => failure(outcome).code === 'EPOCH_LOST'),
      true,
    );
    assert.deepEqual(await payloads(nc, 'replaced'), [0]);
  });

  test('the next epoch says how the one before ended', async () => {
    const journal = appender('ended', success(await epochOf('ended')()).epoch);
    for (const i of range(3)) success(await journal.append(draft('ended', i))());
    const opened = success(await epochOf('ended')());
    assert.deepEqual([...opened.stored.keys()], [1, 2, 3]);
    const records = await readAll(nc, ['epoch.ended']);
    const last = records.at(-1);
    assert.equal(last?.seq, opened.epoch);
    assert.deepEqual(jsonOrText(last?.data ?? new Uint8Array()), {
      phase: 'open',
      producer: 'ended',
      previous: { epoch: journal.epoch, last: 3, holes: [] },
    });
  });

  test('a record that is too large is refused before it takes a number', async () => {
    const journal = appender('large', success(await epochOf('large')()).epoch);
    const large = await journal.append({ subject: 'evt.large.counted.a', data: new Uint8Array(1_048_576) })();
    assert.equal(failure(large).code, 'PAYLOAD_TOO_LARGE');
    success(await journal.append(draft('large', 0))());
    assert.deepEqual(
      (await readAll(nc, ['evt.large.>'])).map((message) => identityOf(message).n),
      [1],
    );
    journal.close();
  });

  test('I8 more than may wait is refused as OVERLOADED, and what was taken is stored', async () => {
    const { epoch } = success(await epochOf('flood')());
    const options = { nc, producer: 'flood', epoch, next: 1, maxInFlight: 10, maxQueued: 20 };
    const journal = new Appender(options, () => undefined);
    const outcomes = await Promise.all(range(100).map((i) => journal.append(draft('flood', i))()));
    assert.equal(outcomes.filter(isRight).length, 30);
    assert.ok(outcomes.filter(isLeft).every(({ left }) => left.code === 'OVERLOADED' && left.retryable));
    assert.deepEqual(await payloads(nc, 'flood'), range(30));
    journal.close();
  });

  test('a broker that another one has replaced opens no epoch and is told so', async () => {
    let resolve: (code: string) => void = () => undefined;
    const replaced = new Promise<string>((done) => {
      resolve = done;
    });
    const producer = success(
      await Producer.open({
        nc,
        name: 'deposed',
        under,
        filters: ['evt.deposed.>'],
        onReplaced: ({ code }) => resolve(code),
      })(),
    );
    under = success(await openBrokerEpoch(nc)());
    success(await epochOf('deposed')());
    assert.equal(failure(await producer.append(draft('deposed', 0))()).code, 'EPOCH_LOST');
    assert.equal(await replaced, 'EPOCH_LOST');
    assert.deepEqual(await payloads(nc, 'deposed'), []);
  });
});

describe('a producer and a server that is killed', () => {
  for (const syncInterval of ['always', '2m']) {
    test(`I1 I2 every record has a receipt and is stored once, in order (sync_interval ${syncInterval})`, async () => {
      await using server = await startServer({ name: 'killed', syncInterval });
      const nc = await dial(server);
      await createLog(nc);
      const under = success(await openBrokerEpoch(nc)());
      const producer = success(
        await Producer.open({
          nc,
          name: 'gateway',
          under,
          filters: ['evt.m.>'],
          patienceMs: 60_000,
          onReplaced: unexpected,
        })(),
      );
      let stored = 0;
      const appends = range(4_000).map(async (i) => {
        const receipt = success(await producer.append(draft('m', i))());
        stored += 1;
        return receipt.seq;
      });
      await waitFor('some to be stored', () => stored > 300);
      await server.restart('SIGKILL');
      const sequences = await Promise.all(appends);
      const records = await readAll(nc, ['evt.m.>']);
      assert.deepEqual(
        records.map(({ seq }) => seq),
        sequences,
      );
      assert.deepEqual(await payloads(nc, 'm'), range(4_000));
      let last = { epoch: 0, n: 0 };
      for (const { epoch, n } of records.map(identityOf)) {
        assert.equal(n, epoch === last.epoch ? last.n + 1 : 1);
        last = { epoch, n };
      }
      await producer.close();
      await nc.close();
    });
  }
});

describe('a log that is full', () => {
  test('I1 I8 a record that does not fit is refused by name, and what was acknowledged stays', async () => {
    await using server = await startServer({ name: 'full' });
    const nc = await dial(server);
    await createLog(nc, 200_000);
    const under = success(await openBrokerEpoch(nc)());
    const options = {
      nc,
      name: 'gateway',
      under,
      filters: ['evt.m.>'],
      patienceMs: 200,
      onReplaced: unexpected,
    };
    const producer = success(await Producer.open(options)());
    const big = new Uint8Array(10_000);
    const outcomes = await Promise.all(
      range(40).map(() => producer.append({ subject: 'evt.m.counted.a', data: big })()),
    );
    const faults = outcomes.filter(isLeft).map(({ left }) => left.code);
    assert.ok(faults.length > 0);
    assert.deepEqual([...new Set(faults)], ['LOG_FULL']);
    assert.equal((await readAll(nc, ['evt.m.>'])).length, outcomes.filter(isRight).length);
    await producer.close();
    await nc.close();
  });
});
