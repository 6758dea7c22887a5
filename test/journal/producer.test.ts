import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { Appender } from '../../journal/append/appender.js';
import { type Appended, type Draft, isInLog } from '../../journal/append/draft.js';
import { brokerEpochs } from '../../journal/epochs/epoch-source.js';
import { GROUPING } from '../../journal/append/grouping.js';
import { type EpochRecord, openBrokerEpoch, openEpoch, writeEpoch } from '../../journal/epochs/epoch.js';
import { isWrittenBy } from '../../journal/append/recovery.js';
import { Producer } from '../../journal/producer/producer.js';
import type { Fault } from '../../schemas/errors.js';
import { encodeJson, jsonOrText } from '../../schemas/json.js';
import type { StoredMessage } from '../../schemas/record.js';
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

for (const durability of ['fsync', 'os'] as const)
  describe(`appending, grouped for ${durability}`, () => {
    const grouping = GROUPING[durability];
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
        prefixes: [`evt.${producer}.`],
        believes: (message) => isWrittenBy(message, producer),
      });
    const appender = (producer: string, epoch: number): Appender =>
      new Appender({ nc, producer, epoch, next: 1, grouping }, (reason, unsettled) => {
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

    test('I2 who takes a name over says what the process before left out, also when it fails halfway', async () => {
      const epochs = () => brokerEpochs({ nc, producer: 'holed', under, prefixes: ['evt.holed.'] });
      const { epoch } = success(await epochs()(undefined)());
      for (const next of [2, 3, 6]) {
        const journal = new Appender({ nc, producer: 'holed', epoch, next, grouping }, () => undefined);
        success(await journal.append(draft('holed', next))());
        journal.close();
      }
      success(await writeEpoch(nc, { phase: 'fence', producer: 'holed', ends: epoch }, under)());
      success(await epochs()(undefined)());
      const records = (await readAll(nc, ['epoch.holed'])).map(({ data }) => jsonOrText(data) as EpochRecord);
      assert.deepEqual(
        records.map(({ phase, ends }) => [phase, ends]),
        [
          ['fence', undefined],
          ['open', undefined],
          ['fence', epoch],
          ['fence', epoch],
          ['open', undefined],
        ],
      );
      assert.deepEqual(records.at(-1)?.previous, { epoch, last: 6, holes: [1, 4, 5] });
    });

    test('a record that is too large is refused before it takes a number', async () => {
      const journal = appender('large', success(await epochOf('large')()).epoch);
      const large = await journal.append({
        subject: 'evt.large.counted.a',
        data: new Uint8Array(1_048_576),
      })();
      assert.equal(failure(large).code, 'PAYLOAD_TOO_LARGE');
      success(await journal.append(draft('large', 0))());
      assert.deepEqual(
        (await readAll(nc, ['evt.large.>'])).map((message) => identityOf(message).n),
        [1],
      );
      journal.close();
    });

    test('I8 more than may wait is refused as OVERLOADED with a hint, and what was taken is stored', async () => {
      const epochs = brokerEpochs({ nc, producer: 'flood', under, prefixes: ['evt.flood.'] });
      const options = { nc, name: 'flood', epochs, grouping, maxPending: 30, onReplaced: unexpected };
      const producer = success(await Producer.open(options)());
      const outcomes = await Promise.all(range(100).map((i) => producer.append(draft('flood', i))()));
      assert.equal(outcomes.filter(isRight).length, 30);
      const faults = outcomes.filter(isLeft).map(({ left }) => left);
      assert.ok(faults.every(({ code, retryable }) => code === 'OVERLOADED' && retryable));
      assert.ok(faults.every(({ retryAfterMs = 0 }) => retryAfterMs >= 10));
      assert.deepEqual(await payloads(nc, 'flood'), range(30));
      success(await producer.append(draft('flood', 30))());
      await producer.close();
    });

    test('I8 bytes that wait are bounded too, and a lone record always fits', async () => {
      const epochs = brokerEpochs({ nc, producer: 'heavy', under, prefixes: ['evt.heavy.'] });
      const options = { nc, name: 'heavy', epochs, grouping, maxPendingBytes: 1_000, onReplaced: unexpected };
      const producer = success(await Producer.open(options)());
      const large = { subject: 'evt.heavy.counted.a', data: new Uint8Array(5_000) };
      const [first, second] = await Promise.all([producer.append(large)(), producer.append(large)()]);
      success(first);
      assert.equal(failure(second).code, 'OVERLOADED');
      await producer.close();
    });

    test('a list of records has all receipts, or what became of each', async () => {
      const journal = appender('list', success(await epochOf('list')()).epoch);
      const receipts = success(await journal.appendAll(range(50).map((i) => draft('list', i)))());
      assert.deepEqual(
        receipts.map(({ n }) => n),
        range(50).map((i) => i + 1),
      );
      assert.deepEqual(success(await journal.appendAll([])()), []);
      const large = { subject: 'evt.list.counted.a', data: new Uint8Array(1_048_576) };
      const { fault, records } = failure(
        await journal.appendAll([draft('list', 50), large, draft('list', 51)])(),
      );
      assert.equal(fault.code, 'PAYLOAD_TOO_LARGE');
      assert.deepEqual(records.map(isInLog), ['yes', 'no', 'yes']);
      assert.deepEqual(await payloads(nc, 'list'), range(52));
      journal.close();
    });

    test('a header with a line break is refused before it takes a number', async () => {
      const journal = appender('broken', success(await epochOf('broken')()).epoch);
      const forged = { ...draft('broken', 0), headers: { 'Tally-Deadline': 'x\r\nTally-Cause: 1' } };
      assert.equal(failure(await journal.append(forged)()).code, 'HEADER_INVALID');
      const unicode = { ...draft('broken', 0), headers: { 'Tally-Deadline': 'grüße 你好' } };
      success(await journal.append(unicode)());
      const [stored] = await readAll(nc, ['evt.broken.>']);
      assert.equal(stored?.header('Tally-Deadline'), 'grüße 你好');
      assert.equal(identityOf(stored as StoredMessage).n, 1);
      journal.close();
    });

    test('I2 a record on a subject where its next epoch would not look is refused', async () => {
      const prefixes = ['evt.narrow.', 'cmd.'];
      const producer = success(
        await Producer.open({
          nc,
          name: 'narrow',
          epochs: brokerEpochs({ nc, producer: 'narrow', under, prefixes }),
          prefixes,
          grouping,
          onReplaced: unexpected,
        })(),
      );
      const subjects = [
        'evt.narrow.x',
        'evt.narrower.x',
        'cancel.a.b.c',
        'cmd.a.b.c.d',
        'res.narrow.x',
        'evt.narrow',
      ];
      for (const subject of subjects) {
        const isTaken = prefixes.some((prefix) => subject.startsWith(prefix));
        const outcome = await producer.append({ ...draft('narrow', 0), subject })();
        if (isTaken) success(outcome);
        else assert.equal(failure(outcome).code, 'INTERNAL', subject);
      }
      const stored = (await readAll(nc, ['>'])).filter((record) => {
        return record.header('Tally-Id')?.startsWith('narrow.');
      });
      assert.deepEqual(
        stored.map(({ subject }) => subject),
        ['evt.narrow.x', 'cmd.a.b.c.d'],
      );
      await producer.close();
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
          epochs: brokerEpochs({ nc, producer: 'deposed', under, prefixes: ['evt.deposed.'] }),
          grouping,
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
          epochs: brokerEpochs({ nc, producer: 'gateway', under, prefixes: ['evt.m.'] }),
          grouping: GROUPING[syncInterval === 'always' ? 'fsync' : 'os'],
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

describe('a server that refuses records for the moment', () => {
  /** Records after which a server that has refused none never will. */
  const MOST = 90_000;

  for (const durability of ['fsync', 'os'] as const) {
    test(`I1 I2 I8 each record is stored, in order, or told to be tried again (${durability})`, async () => {
      // The server takes 50 waiting messages of one stream: a batch loses some and is refused, singles are answered 429.
      await using server = await startServer({ name: 'busy', jetstream: 'max_buffered_msgs: 50' });
      const nc = await dial(server);
      await createLog(nc);
      const witness = await dial(server);
      let refusals = 0;
      witness.subscribe('_INBOX.>', {
        callback: (_, message) => {
          if (message.string().includes('"error":')) refusals += 1;
        },
      });
      await witness.flush();
      const under = success(await openBrokerEpoch(nc)());
      const reopened: string[] = [];
      const producer = success(
        await Producer.open({
          nc,
          name: 'gateway',
          epochs: brokerEpochs({ nc, producer: 'gateway', under, prefixes: ['evt.m.'] }),
          grouping: GROUPING[durability],
          patienceMs: 500,
          onReplaced: unexpected,
          onReopen: ({ code }) => reopened.push(code),
        })(),
      );
      const outcomes: Appended[] = [];
      // Whether the server falls behind is its own affair: it is given more until it has refused something.
      while (refusals === 0) {
        assert.ok(outcomes.length < MOST, 'the server never refused a record');
        const from = outcomes.length;
        const round = range(3_000).map((i) => producer.append(draft('m', from + i))());
        outcomes.push(...(await Promise.all(round)));
        // What the server has answered so far has passed the witness.
        await witness.flush();
      }
      // Single records that are refused end their epoch. A batch that is refused goes again one by one, in the same epoch.
      if (durability === 'os') assert.ok(reopened.length > 0);
      assert.deepEqual(
        reopened.filter((code) => code !== 'OVERLOADED'),
        [],
      );
      const faults = outcomes.filter(isLeft).map(({ left }) => left.code);
      assert.deepEqual(
        faults.filter((code) => code !== 'OVERLOADED'),
        [],
      );
      // None is lost, none is there that was refused, and none has changed places.
      assert.deepEqual(
        await payloads(nc, 'm'),
        range(outcomes.length).filter((i) => isRight(outcomes[i] as Appended)),
      );
      await producer.close();
      await witness.close();
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
    const grouping = GROUPING.os;
    const options = {
      nc,
      name: 'gateway',
      epochs: brokerEpochs({ nc, producer: 'gateway', under, prefixes: ['evt.m.'] }),
      grouping,
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
