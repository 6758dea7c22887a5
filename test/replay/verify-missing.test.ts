import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import { type Copied, idOf, removeAt, storeLog, withHeader } from './log-copy.js';
import { expectFound, VerifiedSystem } from './verified-system.js';

describe('verify on a log whose records are missing, duplicated or in another order', () => {
  let system: VerifiedSystem;
  let log: readonly Copied[];
  let nc: NatsConnection;

  before(async () => {
    system = await VerifiedSystem.start();
    ({ log, nc } = system);
  });
  after(() => system?.[Symbol.asyncDispose]());

  test('finds a record that was removed', async () => {
    const { seq } = system.result();
    await storeLog(nc, log);
    await removeAt(nc, seq);
    const found = await system.verify();
    const { producer, n } = idOf(log[seq - 1] as Copied) ?? assert.fail();
    expectFound(found, { kind: 'missing', seq, says: new RegExp(`^sequence ${seq} is not in the log`) }, [
      'orphanEvent',
      'unanswered',
    ]);
    expectFound(
      found,
      {
        kind: 'missing',
        seq: log.find((each) => each.seq > seq && idOf(each)?.producer === producer)?.seq ?? 0,
        producer,
        says: new RegExp(`no number ${n} `),
      },
      ['orphanEvent', 'unanswered'],
    );
  });

  test('finds that the last record was removed, and the first', async () => {
    await storeLog(nc, log);
    await removeAt(nc, log.length);
    await removeAt(nc, 1);
    const found = await system.verify();
    const says = /is not in the log/;
    assert.ok(
      found.findings.some(({ kind, seq, detail }) => kind === 'missing' && seq === 1 && says.test(detail)),
    );
    assert.ok(
      found.findings.some(
        ({ kind, seq, detail }) => kind === 'missing' && seq === log.length && says.test(detail),
      ),
    );
  });

  test('finds a record that is stored twice', async () => {
    const event = system.copyOfResult(system.result());
    await storeLog(nc, [...log, event]);
    const { producer = '' } = idOf(event) ?? {};
    expectFound(
      await system.verify(),
      { kind: 'duplicated', seq: log.length + 1, producer, says: /copy 1 of .* is there again/ },
      ['reordered'],
    );
  });

  test('finds two records that have changed places', async () => {
    const at = log.findIndex((record, i) => {
      const [a, b] = [idOf(record), idOf(log[i + 1] ?? record)];
      return (
        a !== undefined &&
        a.producer === b?.producer &&
        a.epoch === b.epoch &&
        a.n + 1 === b.n &&
        i > log.length / 2
      );
    });
    const [a, b] = [log[at] as Copied, log[at + 1] as Copied];
    await storeLog(nc, log.toSpliced(at, 2, b, a));
    const { producer, n } = idOf(a) ?? assert.fail();
    const found = await system.verify();
    const says = new RegExp(`number ${n} of epoch \\d+ comes behind number ${n + 1}`);
    assert.ok(
      found.findings.some(
        (each) =>
          each.kind === 'reordered' &&
          each.seq === b.seq &&
          each.producer === producer &&
          says.test(each.detail),
      ),
      JSON.stringify(found.findings),
    );
  });

  test('finds a gap in the numbers of a producer that no epoch record explains', async () => {
    const last =
      idOf(log.findLast((record) => idOf(record)?.producer === 'gateway') as Copied) ?? assert.fail();
    const late = log.filter((record) => {
      const id = idOf(record);
      return id?.producer === 'gateway' && id.epoch === last.epoch;
    });
    const [first] = late.slice(-3);
    assert.ok(first);
    const from = idOf(first)?.n ?? 0;
    const changed = log.map((record) => {
      const id = idOf(record);
      const isLater = id?.producer === 'gateway' && id.epoch === last.epoch && id.n >= from;
      return isLater ? withHeader(record, HEADER.id, `gateway.${id.epoch}.${id.n + 3}`) : record;
    });
    await storeLog(nc, changed);
    const says = new RegExp(`gateway has no numbers ${from} to ${from + 2} in its epoch ${last.epoch}`);
    expectFound(await system.verify(), { kind: 'missing', seq: first.seq, producer: 'gateway', says });
    // A moment old, its explanation may be on its way.
    const young = await system.verify({ graceMs: 600_000 });
    assert.deepEqual([young.findings, young.waiting], [[], 1]);
  });

  test('names the producer whose record took a number of the broker', async () => {
    const isNumbered = (record: Copied): boolean =>
      idOf(record)?.producer === 'gateway' && idOf(record)?.epoch === idOf(last)?.epoch;
    const last = log.findLast((record) => idOf(record)?.producer === 'gateway') ?? assert.fail();
    const { epoch, n } = idOf(last) ?? assert.fail();
    const first = log.find(isNumbered) ?? assert.fail();
    const headers = [[HEADER.id, `gateway.${epoch}.${n + 50}`]] as const;
    for (const [subject, data] of [
      ['cmd.accounts.deposit.alice.orders', '{"amount":1}'],
      ['res.orders.place.order-1', '{"status":"ok","data":{}}'],
    ] as const) {
      const forged = { ...first, subject, data, headers: [...headers] };
      await storeLog(nc, [...log.slice(0, first.seq - 1), forged, ...log.slice(first.seq)]);
      const { findings } = await system.verify();
      const found = findings.filter(({ producer, kind }) => producer === 'gateway' && kind === 'reordered');
      assert.match(found[0]?.detail ?? '', /behind number \d+, on a record of orders$/);
    }
  });

  test('finds a number that is missing, though an epoch record says that it was stored', async () => {
    const open = system.find(
      'an epoch with one before',
      ({ subject, data }) => subject.startsWith('epoch.') && data.includes('"last":'),
      0,
    );
    const record = JSON.parse(open.data) as { previous: { epoch: number; last: number } };
    record.previous.last += 2;
    const producer = open.subject.slice('epoch.'.length);
    await storeLog(nc, system.logWith({ ...open, data: JSON.stringify(record) }));
    expectFound(await system.verify(), {
      kind: 'missing',
      seq: open.seq,
      producer,
      says: /had stored numbers \d+ to \d+ of its epoch/,
    });
  });

  test('finds a record of an epoch that had been shut out', async () => {
    const first = system.find(
      'an early record of accounts',
      (record) => idOf(record)?.producer === 'accounts',
      0,
    );
    const { epoch } = idOf(first) ?? assert.fail();
    const seq = log.length + 1;
    await storeLog(nc, [
      ...log,
      {
        seq,
        subject: 'evt.accounts.deposited.alice',
        headers: [[HEADER.id, `accounts.${epoch}.99999`]],
        data: '{"amount":1}',
      },
    ]);
    expectFound(await system.verify(), {
      kind: 'reordered',
      seq,
      producer: 'accounts',
      says: /had shut that epoch out/,
    });
  });
});
