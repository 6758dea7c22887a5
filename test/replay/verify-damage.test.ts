import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import accounts from '../../modules/accounts/index.js';
import orders from '../../modules/orders/index.js';
import type { AnyModule } from '../../modules/sdk/define-module.js';
import type { VerifyOptions } from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import type { Verification } from '../../schemas/verification.js';
import { runProgram } from '../support/run-program.js';
import { digestByTheBook } from './digest-by-the-book.js';
import {
  causeOf,
  type Copied,
  headerOf,
  idOf,
  removeAt,
  storeLog,
  subjectOf,
  withHeader,
} from './log-copy.js';
import { expectFound, VerifiedSystem } from './verified-system.js';

const TAMPERING = join(import.meta.dirname, '..', 'fixtures', 'tampering.js');

const modules = [accounts, orders] as unknown as readonly AnyModule[];

describe('verify', () => {
  let system: VerifiedSystem;
  let log: readonly Copied[];
  let nc: NatsConnection;
  let live: NatsConnection;
  const verify = (options: Partial<VerifyOptions> = {}): Promise<Verification> => system.verify(options);

  before(async () => {
    system = await VerifiedSystem.start('verify-damage');
    ({ log, nc, live } = system);
  });
  after(() => system?.[Symbol.asyncDispose]());

  /** Its epoch goes on behind it: after the last record of an epoch, the numbers alone do not show that one is missing. */
  const result = (module = 'accounts'): Copied =>
    system.find('a result with a copy', (record) => {
      const subject = subjectOf(record);
      return (
        subject?.kind === 'res' &&
        subject.module === module &&
        record.data.includes('"out":[{"subject":"evt') &&
        log.some((each) => each.seq > record.seq && idOf(each)?.epoch === idOf(record)?.epoch)
      );
    });
  const copyOfResult = ({ headers }: Copied): Copied => {
    const cause = headers.find(([name]) => name === HEADER.cause)?.[1];
    return system.find(
      'its copy',
      (record) => subjectOf(record)?.kind === 'evt' && headerOf(record, HEADER.cause) === cause,
      0,
    );
  };
  const withRecord = (changed: Copied): readonly Copied[] =>
    log.map((record) => (record.seq === changed.seq ? changed : record));

  test('finds nothing in the log of a system whose modules were killed at work, nor in its snapshots', async () => {
    const found = await verify({ nc: live, snapshots: { dataDir: system.broker.dataDir, modules } });
    assert.deepEqual(found.findings, []);
    assert.ok(found.ok);
    assert.equal(found.records, log.length);
    assert.equal(found.lastSeq, log.length);
    assert.equal(found.commands, log.filter((record) => subjectOf(record)?.kind === 'cmd').length);
    assert.equal(found.results, found.commands);
    assert.equal(found.records, found.commands + found.results + found.events + found.epochs);
    assert.deepEqual(
      found.states.map(({ module }) => module),
      ['accounts', 'orders'],
    );
    assert.match(found.digest, /^[0-9a-f]{64}$/);
    // What the log is read by does not matter, nor how often.
    assert.equal((await verify({ nc: live })).digest, found.digest);
  });

  test('makes a digest that can be computed from what docs/replay.md says', async () => {
    const { digest } = await verify({ nc: live });
    assert.equal(await digestByTheBook(live, 1, log.length), digest);
    const part = await verify({ nc: live, from: 20, to: 90 });
    assert.equal(await digestByTheBook(live, 20, 90), part.digest);
  });

  test('finds nothing in a copy of it, nor in any part', async () => {
    await storeLog(nc, log);
    assert.deepEqual((await verify()).findings, []);
    const third = Math.floor(log.length / 3);
    for (const [from, to] of [
      [1, third],
      [third, 2 * third],
      [2 * third, log.length],
      [third, third],
    ] as const) {
      const found = await verify({ from, to });
      assert.deepEqual(found.findings, [], `records ${from} to ${to}`);
      assert.equal(found.records, to - from + 1);
    }
  });

  test('takes records into the digest that are larger than what arrives at a time, or have no headers or no payload', async () => {
    const command = { seq: 0, subject: 'cmd.accounts.deposit.alice.guest', headers: [], data: '{}' };
    const note = `{"note":"${'ü'.repeat(200_000)}"}`;
    const large = { ...command, data: note };
    const tail = [
      command,
      large,
      { ...command, data: '' },
      large,
      large,
      { ...command, headers: [['Täl', 'ü']] as const },
    ];
    await storeLog(nc, [...log.slice(0, 30), ...tail]);
    const found = await verify({ graceMs: 600_000 });
    assert.equal(found.records, 30 + tail.length);
    assert.equal(found.digest, await digestByTheBook(nc, 1, found.lastSeq));
  });

  test('finds a record that was removed', async () => {
    const { seq } = result();
    await storeLog(nc, log);
    await removeAt(nc, seq);
    const found = await verify();
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
    const found = await verify();
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

  test('finds a record that is there twice', async () => {
    const event = copyOfResult(result());
    await storeLog(nc, [...log, event]);
    const { producer = '' } = idOf(event) ?? {};
    expectFound(
      await verify(),
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
    const found = await verify();
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

  test('finds a copy that is not what was decided', async () => {
    const event = copyOfResult(result());
    const data = event.data.replace(/\d/, (digit) => `${(Number(digit) + 1) % 10}`);
    assert.notEqual(data, event.data);
    await storeLog(nc, withRecord({ ...event, data }));
    expectFound(await verify(), {
      kind: 'altered',
      seq: event.seq,
      producer: 'accounts',
      says: /is not what \d+ decided/,
    });
  });

  test('finds a decision that was changed under its copies', async () => {
    const { seq, ...rest } = result();
    const data = rest.data.replace(
      /("out":\[.*?"data":\{.*?)(\d)/,
      (_, start, digit) => `${start}${(Number(digit) + 1) % 10}`,
    );
    assert.notEqual(data, rest.data);
    const event = copyOfResult({ seq, ...rest });
    await storeLog(nc, withRecord({ ...rest, seq, data }));
    expectFound(await verify(), {
      kind: 'altered',
      seq: event.seq,
      producer: 'accounts',
      says: new RegExp(`is not what ${seq} decided`),
    });
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
    expectFound(await verify(), { kind: 'missing', seq: first.seq, producer: 'gateway', says });
    // A moment old, its explanation may be on its way.
    const young = await verify({ graceMs: 600_000 });
    assert.deepEqual([young.findings, young.waiting], [[], 1]);
  });

  test('says whose record it was that took a number of the broker', async () => {
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
      const { findings } = await verify();
      const found = findings.filter(({ producer, kind }) => producer === 'gateway' && kind === 'reordered');
      assert.match(found[0]?.detail ?? '', /behind number \d+, on a record of orders$/);
    }
  });

  test('finds numbers that an epoch record says were stored', async () => {
    const open = system.find(
      'an epoch with one before',
      ({ subject, data }) => subject.startsWith('epoch.') && data.includes('"last":'),
      0,
    );
    const record = JSON.parse(open.data) as { previous: { epoch: number; last: number } };
    record.previous.last += 2;
    const producer = open.subject.slice('epoch.'.length);
    await storeLog(nc, withRecord({ ...open, data: JSON.stringify(record) }));
    expectFound(await verify(), {
      kind: 'missing',
      seq: open.seq,
      producer,
      says: /had stored numbers \d+ to \d+ of its epoch/,
    });
  });

  test('finds a command that was answered twice, and one that never was', async () => {
    const answer = result();
    await storeLog(nc, [...log, answer]);
    const twice = await verify();
    const seq = log.length + 1;
    expectFound(
      twice,
      {
        kind: 'answeredTwice',
        seq,
        producer: 'accounts',
        says: new RegExp(`command ${causeOf(answer)} has another result`),
      },
      ['duplicated', 'reordered'],
    );
    const command = system.find('a command', (record) => subjectOf(record)?.kind === 'cmd', 0);
    await storeLog(nc, [...log, { ...command, headers: [] }]);
    const never = await verify();
    expectFound(never, {
      kind: 'unanswered',
      seq,
      producer: 'accounts',
      says: /sent by guest, has waited for its result for/,
    });
    assert.equal(never.unanswered, 1);
    const young = await verify({ graceMs: 600_000 });
    assert.deepEqual([young.ok, young.unanswered, young.waiting], [true, 1, 1]);
  });

  test('finds an answer to a command of another agent, and one to no command', async () => {
    const answer = result();
    const command = causeOf(answer);
    const subject = `${answer.subject}-other`;
    await storeLog(nc, withRecord({ ...answer, subject }));
    const says = new RegExp(`answers ${command}, "cmd\\.[^"]+", which is of another module, action or agent`);
    expectFound(await verify(), { kind: 'unattributed', seq: answer.seq, producer: 'accounts', says }, [
      'unanswered',
      'orphanEvent',
    ]);
    await storeLog(nc, withRecord(withHeader(answer, HEADER.cause, '1')));
    expectFound(
      await verify(),
      { kind: 'unattributed', seq: answer.seq, says: /answers 1, which is no command/ },
      ['unanswered', 'orphanEvent'],
    );
  });

  test('finds an event that no decision promises, and one whose decision is gone', async () => {
    const event = copyOfResult(
      system.find(
        'a deposit',
        ({ subject, data }) =>
          subject.startsWith('res.accounts.deposit.') && data.includes('"out":[{"subject":"evt'),
      ),
    );
    const forged = withHeader(withHeader(event, HEADER.part, '7/7'), HEADER.id, nextId(event));
    await storeLog(nc, [...log, forged]);
    const says = new RegExp(`the result of ${causeOf(event)} promises no copy \\d+`);
    expectFound(await verify(), { kind: 'orphanEvent', seq: log.length + 1, producer: 'accounts', says });
    const lone = log.map((record) =>
      record.seq === event.seq ? withHeader(record, HEADER.cause, `${event.seq - 1}`) : record,
    );
    await storeLog(nc, lone);
    expectFound(
      await verify(),
      { kind: 'orphanEvent', seq: event.seq, producer: 'accounts', says: /has Tally-Cause "\d+"/ },
      ['missing', 'duplicated'],
    );
  });

  /** What the producer of a record would number next, as the log ends. */
  const nextId = (record: Copied): string => {
    const producer = idOf(record)?.producer;
    const last = idOf(log.findLast((each) => idOf(each)?.producer === producer) as Copied) ?? assert.fail();
    return `${last.producer}.${last.epoch}.${last.n + 1}`;
  };

  test('finds a copy that is missing', async () => {
    const decision = result();
    const event = copyOfResult(decision);
    // In its place a record that keeps all numbers: an event that nothing caused.
    const headers = event.headers.filter(([name]) => name !== HEADER.cause && name !== HEADER.part);
    await storeLog(nc, withRecord({ ...event, headers }));
    const says = new RegExp(
      `copy 1 of \\d+ of what ${decision.seq} decided for command ${causeOf(decision)}, "[^"]+", is not there`,
    );
    expectFound(await verify(), { kind: 'missing', seq: decision.seq, producer: 'accounts', says });
  });

  test('I5 finds two commands of one agent that were handled in the wrong order', async () => {
    const [first, second] = pairOfOneAgent();
    const swap = (record: Copied): Copied => {
      if (record.seq === first.seq) return withHeader(record, HEADER.cause, `${causeOf(second)}`);
      return record.seq === second.seq ? withHeader(record, HEADER.cause, `${causeOf(first)}`) : record;
    };
    await storeLog(nc, log.map(swap));
    const says = new RegExp(
      `answered command ${causeOf(first)} behind ${causeOf(second)}, which was sent later`,
    );
    expectFound(await verify(), { kind: 'reordered', seq: second.seq, producer: 'accounts', says }, [
      'orphanEvent',
      'missing',
      'altered',
    ]);
  });

  /** Results of one action of one agent that follow each other, the second of which was sent before the first was handled. */
  const pairOfOneAgent = (): readonly [Copied, Copied] => {
    const last = new Map<string, Copied>();
    for (const record of log) {
      if (!record.subject.startsWith('res.accounts.')) continue;
      const before = last.get(record.subject);
      if (before !== undefined && causeOf(record) < before.seq) return [before, record];
      last.set(record.subject, record);
    }
    return assert.fail('two commands of one agent wait at the same time');
  };

  test('finds records of nobody: without an identity, with that of another, of an epoch that is none, of no account', async () => {
    const answer = result();
    const without = { ...answer, headers: answer.headers.filter(([name]) => name !== HEADER.id) };
    await storeLog(nc, withRecord(without));
    expectFound(await verify(), { kind: 'unattributed', seq: answer.seq, says: /has no Tally-Id/ }, [
      'missing',
    ]);
    await storeLog(nc, withRecord(withHeader(answer, HEADER.id, 'orders.5.1')));
    expectFound(
      await verify(),
      {
        kind: 'unattributed',
        seq: answer.seq,
        producer: 'orders',
        says: /only accounts can have written it/,
      },
      ['missing'],
    );
    // A result is no epoch; the record before it can be one.
    await storeLog(nc, withRecord(withHeader(answer, HEADER.id, `accounts.${answer.seq}.1`)));
    expectFound(
      await verify(),
      { kind: 'unattributed', seq: answer.seq, producer: 'accounts', says: /which the log does not have/ },
      ['missing'],
    );
    const at = system.find('a command of the guest', (record) => {
      const subject = subjectOf(record);
      return subject?.kind === 'cmd' && subject.sender === 'guest';
    });
    // Its result still answers it: only the sender is another.
    const stranger = at.subject.replace(/guest$/, 'mallory');
    await storeLog(nc, withRecord({ ...at, subject: stranger, headers: [] }));
    expectFound(
      await verify(),
      { kind: 'unattributed', seq: at.seq, producer: 'mallory', says: /has no account/ },
      ['missing'],
    );
  });

  test('finds what a record of an epoch says that had been shut out', async () => {
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
    expectFound(await verify(), {
      kind: 'reordered',
      seq,
      producer: 'accounts',
      says: /had shut that epoch out/,
    });
  });

  test('finds a snapshot that is not what the log gives', async () => {
    const at = join(system.broker.dataDir, 'snapshots', 'accounts', 'g1');
    const last = log.findLast(({ subject }) => subject === 'evt.accounts.deposited.agent-3');
    assert.ok(last);
    const args = [TAMPERING, at, 'agent-3', `${last.seq}`, '1', '{"balance":1000000,"outgoing":{}}'];
    const { code, stderr } = await runProgram(process.execPath, args);
    assert.equal(code, 0, stderr);
    const found = await verify({ nc: live, snapshots: { dataDir: system.broker.dataDir, modules } });
    expectFound(found, {
      kind: 'stateMismatch',
      seq: last.seq,
      producer: 'accounts',
      says: /agent agent-3 of accounts.*1000000/,
    });
    assert.equal(found.stateMismatches, 1);
    assert.deepEqual(
      found.states.map(({ module }) => module),
      ['orders'],
    );
  });
});
