import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import type { Verification } from '../../schemas/verification.js';
import { startBroker } from '../support/broker.js';
import { assertHandled, eventsOf, readHeard, writeListener, writeShop } from '../support/hearing.js';
import { connectOperator } from '../support/log-checks.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { type Copied, copyOf, headerOf, withHeader } from './log-copy.js';
import { type ChangedLogs, startChangedLogs } from './changed-logs.js';
import { PATIENT } from '../support/patient.js';

describe('I10 verify on a log with modules that listen', () => {
  let log: readonly Copied[];
  let copies: ChangedLogs;

  before(async () => {
    await using dir = tempDir();
    const modules = [
      writeShop(dir.path),
      writeListener(dir.path, 'ledger', { 'shop.>': { action: 'note', from: 'start' } }),
    ].flatMap((path) => ['--module', path]);
    await using broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', ...modules] });
    const guest = await connect({ servers: broker.url });
    for (const agent of ['ann', 'bob'])
      await guest.request(`call.shop.sell.${agent}`, '{"times":5}', PATIENT);
    await guest.close();
    await waitFor('all events to be handled', async () => {
      const heard = await readHeard(broker.dataDir);
      assertHandled(heard, 'ledger', eventsOf(heard, /^evt\.shop\./));
      return true;
    });
    const operator = await connectOperator(broker.dataDir);
    log = await copyOf(operator);
    await operator.close();
    copies = await startChangedLogs();
  });
  after(() => copies?.[Symbol.asyncDispose]());

  const verify = (records: readonly Copied[]): Promise<Verification> => copies.verify(records);
  const deliveries = (): readonly Copied[] =>
    log.filter((each) => headerOf(each, HEADER.event) !== undefined);
  const eventOf = (record: Copied): string => headerOf(record, HEADER.event)?.split(' ')[0] ?? '';
  const changed = (record: Copied, change: (record: Copied) => Copied): readonly Copied[] =>
    log.map((each) => (each === record ? change(each) : each));
  const brings = (record: Copied, event: number): readonly Copied[] =>
    changed(record, (each) => {
      const [, ...rest] = headerOf(each, HEADER.event)?.split(' ') ?? [];
      return withHeader(each, HEADER.event, [event, ...rest].join(' '));
    });
  const found = ({ findings }: Verification, kind: string, seq: number, detail: RegExp): void => {
    const same = findings.some((each) => each.kind === kind && each.seq === seq && detail.test(each.detail));
    assert.ok(same, `${kind} at ${seq}: ${JSON.stringify(findings, null, 1)}`);
  };

  it('finds nothing where nothing is wrong', async () => {
    assert.equal(deliveries().length, 10);
    assert.deepEqual((await verify(log)).findings, []);
  });

  it('finds an event that was not handled', async () => {
    // The last delivery says that this one was made before.
    const record = deliveries()[2] as Copied;
    const later = deliveries().at(-1) as Copied;
    const [event, , behind] = headerOf(later, HEADER.event)?.split(' ') ?? [];
    const records = changed(record, (each) => ({
      ...each,
      headers: each.headers.filter(([name]) => name !== HEADER.event),
    })).map((each) =>
      each.seq === later.seq
        ? withHeader(each, HEADER.event, `${event} ${Number(event) - 1} ${behind}`)
        : each,
    );
    const verification = await verify(records);
    found(verification, 'missing', Number(eventOf(record)), /ledger listens to shop\.sold.*without this one/);
    assert.equal(verification.findingsTotal, 1);
  });

  it('finds an event that was handled twice', async () => {
    const [first, second] = deliveries() as [Copied, Copied];
    const verification = await verify(brings(second, Number(eventOf(first))));
    found(verification, 'duplicated', second.seq, /ledger was brought event \d+ before/);
  });

  it('finds a delivery without an event', async () => {
    const record = deliveries()[4] as Copied;
    const command = log.find(({ subject }) => subject.startsWith('cmd.shop.')) as Copied;
    const verification = await verify(brings(record, command.seq));
    found(verification, 'orphanEvent', record.seq, /which is no event that it listens to/);
  });

  it('finds events of an agent that are in another order', async () => {
    const ofAnn = deliveries().filter(({ subject }) => subject.includes('.ann.'));
    const [a, b] = ofAnn as [Copied, Copied];
    const swapped = log.map((each) => {
      if (each.seq !== a.seq && each.seq !== b.seq) return each;
      const other = each.seq === a.seq ? b : a;
      const [, ...rest] = headerOf(each, HEADER.event)?.split(' ') ?? [];
      return withHeader(each, HEADER.event, [eventOf(other), ...rest].join(' '));
    });
    found(await verify(swapped), 'reordered', b.seq, /agent ann of ledger was brought event \d+ behind \d+/);
  });

  it('takes no header of another sender for a delivery', async () => {
    const command = log.find(({ subject }) => subject.startsWith('cmd.shop.')) as Copied;
    const verification = await verify(changed(command, (each) => withHeader(each, HEADER.event, '3 0 0')));
    assert.deepEqual(verification.findings, []);
  });
});
