import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import { causeOf, type Copied, storeLog, subjectOf, withHeader } from './log-copy.js';
import { expectFound, VerifiedSystem } from './verified-system.js';

describe('verify on a log whose commands, results and copies do not match', () => {
  let system: VerifiedSystem;
  let log: readonly Copied[];
  let nc: NatsConnection;

  before(async () => {
    system = await VerifiedSystem.start();
    ({ log, nc } = system);
  });
  after(() => system?.[Symbol.asyncDispose]());

  test('finds a copy that is not what was decided', async () => {
    const event = system.copyOfResult(system.result());
    const data = event.data.replace(/\d/, (digit) => `${(Number(digit) + 1) % 10}`);
    assert.notEqual(data, event.data);
    await storeLog(nc, system.logWith({ ...event, data }));
    expectFound(await system.verify(), {
      kind: 'altered',
      seq: event.seq,
      producer: 'accounts',
      says: /is not what \d+ decided/,
    });
  });

  test('finds a decision that was changed under its copies', async () => {
    const { seq, ...rest } = system.result();
    const data = rest.data.replace(
      /("out":\[.*?"data":\{.*?)(\d)/,
      (_, start, digit) => `${start}${(Number(digit) + 1) % 10}`,
    );
    assert.notEqual(data, rest.data);
    const event = system.copyOfResult({ seq, ...rest });
    await storeLog(nc, system.logWith({ ...rest, seq, data }));
    expectFound(await system.verify(), {
      kind: 'altered',
      seq: event.seq,
      producer: 'accounts',
      says: new RegExp(`is not what ${seq} decided`),
    });
  });

  test('finds a command that was answered twice, and one that never was', async () => {
    const answer = system.result();
    await storeLog(nc, [...log, answer]);
    const twice = await system.verify();
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
    const never = await system.verify();
    expectFound(never, {
      kind: 'unanswered',
      seq,
      producer: 'accounts',
      says: /sent by guest, has waited for its result for/,
    });
    assert.equal(never.unanswered, 1);
    const young = await system.verify({ graceMs: 600_000 });
    assert.deepEqual([young.ok, young.unanswered, young.waiting], [true, 1, 1]);
  });

  test('finds an answer to a command of another agent, and one to no command', async () => {
    const answer = system.result();
    const command = causeOf(answer);
    const subject = `${answer.subject}-other`;
    await storeLog(nc, system.logWith({ ...answer, subject }));
    const says = new RegExp(`answers ${command}, "cmd\\.[^"]+", which is of another module, action or agent`);
    expectFound(
      await system.verify(),
      { kind: 'unattributed', seq: answer.seq, producer: 'accounts', says },
      ['unanswered', 'orphanEvent'],
    );
    await storeLog(nc, system.logWith(withHeader(answer, HEADER.cause, '1')));
    expectFound(
      await system.verify(),
      { kind: 'unattributed', seq: answer.seq, says: /answers 1, which is no command/ },
      ['unanswered', 'orphanEvent'],
    );
  });

  test('finds an event that no decision promises, and one whose decision is gone', async () => {
    const event = system.copyOfResult(
      system.find(
        'a deposit',
        ({ subject, data }) =>
          subject.startsWith('res.accounts.deposit.') && data.includes('"out":[{"subject":"evt'),
      ),
    );
    const forged = withHeader(withHeader(event, HEADER.part, '7/7'), HEADER.id, system.nextId(event));
    await storeLog(nc, [...log, forged]);
    const says = new RegExp(`the result of ${causeOf(event)} promises no copy \\d+`);
    expectFound(await system.verify(), {
      kind: 'orphanEvent',
      seq: log.length + 1,
      producer: 'accounts',
      says,
    });
    const lone = log.map((record) =>
      record.seq === event.seq ? withHeader(record, HEADER.cause, `${event.seq - 1}`) : record,
    );
    await storeLog(nc, lone);
    expectFound(
      await system.verify(),
      { kind: 'orphanEvent', seq: event.seq, producer: 'accounts', says: /has Tally-Cause "\d+"/ },
      ['missing', 'duplicated'],
    );
  });

  test('finds a copy that is missing', async () => {
    const decision = system.result();
    const event = system.copyOfResult(decision);
    // In its place a record that keeps all numbers: an event that nothing caused.
    const headers = event.headers.filter(([name]) => name !== HEADER.cause && name !== HEADER.part);
    await storeLog(nc, system.logWith({ ...event, headers }));
    const says = new RegExp(
      `copy 1 of \\d+ of what ${decision.seq} decided for command ${causeOf(decision)}, "[^"]+", is not there`,
    );
    expectFound(await system.verify(), { kind: 'missing', seq: decision.seq, producer: 'accounts', says });
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
    expectFound(await system.verify(), { kind: 'reordered', seq: second.seq, producer: 'accounts', says }, [
      'orphanEvent',
      'missing',
      'altered',
    ]);
  });

  test('finds records with a missing or forged producer', async () => {
    const answer = system.result();
    const without = { ...answer, headers: answer.headers.filter(([name]) => name !== HEADER.id) };
    await storeLog(nc, system.logWith(without));
    expectFound(await system.verify(), { kind: 'unattributed', seq: answer.seq, says: /has no Tally-Id/ }, [
      'missing',
    ]);
    await storeLog(nc, system.logWith(withHeader(answer, HEADER.id, 'orders.5.1')));
    expectFound(
      await system.verify(),
      {
        kind: 'unattributed',
        seq: answer.seq,
        producer: 'orders',
        says: /only accounts can have written it/,
      },
      ['missing'],
    );
    // A result is no epoch; the record before it can be one.
    await storeLog(nc, system.logWith(withHeader(answer, HEADER.id, `accounts.${answer.seq}.1`)));
    expectFound(
      await system.verify(),
      { kind: 'unattributed', seq: answer.seq, producer: 'accounts', says: /which the log does not have/ },
      ['missing'],
    );
    const at = system.find('a command of the guest', (record) => {
      const subject = subjectOf(record);
      return subject?.kind === 'cmd' && subject.sender === 'guest';
    });
    // Its result still answers it: only the sender is another.
    const stranger = at.subject.replace(/guest$/, 'mallory');
    await storeLog(nc, system.logWith({ ...at, subject: stranger, headers: [] }));
    expectFound(
      await system.verify(),
      { kind: 'unattributed', seq: at.seq, producer: 'mallory', says: /has no account/ },
      ['missing'],
    );
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
});
