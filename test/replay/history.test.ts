import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from 'nats';
import { subjectFilters } from '../../journal/read/subject-filters.js';
import { history } from '../../replay/history/read-history.js';
import type { HistoryQuery } from '../../replay/history/query.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { type HistoryLine, type HistoryRecord, historyLine } from '../../schemas/record.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

interface Written {
  readonly subject: string;
  readonly cause?: number;
  readonly conversation?: number;
  readonly id?: string;
}

/** Record i of this list has sequence i + 1. */
const LOG: readonly Written[] = [
  { subject: 'epoch.accounts', id: 'broker.1.1' },
  { subject: 'cmd.accounts.deposit.alice.guest' },
  { subject: 'res.accounts.deposit.alice', cause: 2, conversation: 2, id: 'accounts.1.1' },
  { subject: 'evt.accounts.deposited.alice', cause: 2, conversation: 2, id: 'accounts.1.2' },
  { subject: 'cmd.accounts.deposit.bob.operator' },
  { subject: 'res.accounts.deposit.bob', cause: 5, conversation: 5, id: 'accounts.1.3' },
  { subject: 'cmd.orders.place.alice.guest' },
  { subject: 'cmd.accounts.withdraw.alice.orders', cause: 7, conversation: 7, id: 'orders.2.1' },
  { subject: 'res.accounts.withdraw.alice', cause: 8, conversation: 7, id: 'broker.1.2' },
  { subject: 'cmd.agents.list.guest' },
  { subject: 'res.agents.list', cause: 10, conversation: 10, id: 'agents.3.1' },
];

describe('history', () => {
  let server: TestServer;
  let nc: NatsConnection;

  const write = async ({ subject, cause, conversation, id }: Written): Promise<number> => {
    const h = headers();
    if (cause !== undefined) h.set(HEADER.cause, `${cause}`);
    if (conversation !== undefined) h.set(HEADER.conversation, `${conversation}`);
    if (id !== undefined) h.set(HEADER.id, id);
    return (await jetstream(nc).publish(subject, '{"x":1}', { headers: h })).seq;
  };

  const find = async (query: HistoryQuery): Promise<HistoryRecord[]> => {
    const found: HistoryRecord[] = [];
    for await (const record of history(nc, { signal: AbortSignal.timeout(20_000), ...query }))
      found.push(record);
    return found;
  };
  const seqs = async (query: HistoryQuery): Promise<number[]> => (await find(query)).map(({ seq }) => seq);

  before(async () => {
    server = await startServer({ name: 'history' });
    nc = await connect({ servers: server.url });
    await (await jetstreamManager(nc)).streams.add({
      name: 'LOG',
      subjects: ['cmd.*.*.*', 'cmd.*.*.*.*', 'evt.*.*', 'evt.*.*.*', 'res.*.*', 'res.*.*.*', 'epoch.>'],
    });
    for (const written of LOG) await write(written);
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('all of it, in order, every line of one shape', async () => {
    const all = await find({});
    assert.deepEqual(
      all.map(({ subject }) => subject),
      LOG.map(({ subject }) => subject),
    );
    const keys =
      'seq,time,kind,subject,subjectBase64,module,name,agent,sender,id,cause,conversation,form,data'
        .split(',')
        .sort();
    const lines = all.map((record) => JSON.parse(historyLine(record)) as HistoryLine);
    for (const line of lines) assert.deepEqual(Object.keys(line).sort(), keys);
    const { time, ...eighth } = lines[7] as HistoryLine;
    assert.match(time, /Z$/);
    assert.deepEqual(eighth, {
      seq: 8,
      kind: 'cmd',
      subject: 'cmd.accounts.withdraw.alice.orders',
      subjectBase64: null,
      module: 'accounts',
      name: 'withdraw',
      agent: 'alice',
      sender: 'orders',
      id: 'orders.2.1',
      cause: 7,
      conversation: 7,
      form: 'json',
      data: { x: 1 },
    });
  });

  test('by module, agent, sender, kind, and all of them together', async () => {
    assert.deepEqual(await seqs({ module: 'accounts' }), [2, 3, 4, 5, 6, 8, 9]);
    assert.deepEqual(await seqs({ agent: 'alice' }), [2, 3, 4, 7, 8, 9]);
    assert.deepEqual(await seqs({ agent: 'alice', module: 'orders' }), [7]);
    assert.deepEqual(await seqs({ sender: 'guest' }), [2, 7, 10]);
    assert.deepEqual(await seqs({ sender: 'broker' }), [1, 9]);
    assert.deepEqual(await seqs({ kind: 'res' }), [3, 6, 9, 11]);
    assert.deepEqual(await seqs({ kind: 'epoch' }), [1]);
    assert.deepEqual(await seqs({ kind: 'cmd', module: 'accounts', agent: 'alice', sender: 'orders' }), [8]);
    assert.deepEqual(await seqs({ kind: 'epoch', module: 'accounts' }), []);
    assert.deepEqual(await seqs({ agent: 'nobody' }), []);
  });

  test('a conversation is its first record and all that follow from it', async () => {
    assert.deepEqual(await seqs({ conversation: 2 }), [2, 3, 4]);
    assert.deepEqual(await seqs({ conversation: 7, module: 'accounts' }), [8, 9]);
    assert.deepEqual(await seqs({ conversation: 7, kind: 'cmd' }), [7, 8]);
    assert.deepEqual(await seqs({ conversation: 3 }), []);
  });

  test('from, to and limit', async () => {
    assert.deepEqual(await seqs({ from: 4, to: 6 }), [4, 5, 6]);
    assert.deepEqual(await seqs({ agent: 'alice', limit: 2 }), [2, 3]);
    assert.deepEqual(await seqs({ limit: 0 }), []);
    assert.deepEqual(await seqs({ from: 100 }), []);
    const [fifth] = await find({ from: 5, to: 5 });
    const at = new Date(fifth?.time ?? '');
    const until = await find({ to: at });
    assert.ok(
      until.every(({ time }) => Date.parse(time) <= at.getTime()) && until.some(({ seq }) => seq === 5),
    );
    assert.ok((await seqs({ from: at })).includes(5));
    assert.deepEqual(await seqs({ from: new Date(Date.now() + 60_000) }), []);
    assert.deepEqual(await seqs({ to: new Date(0) }), []);
  });

  test('following sees what comes later, and only what fits', async () => {
    const seen: string[] = [];
    const following = (async () => {
      for await (const { subject } of history(nc, { agent: 'carol', follow: true, limit: 2 }))
        seen.push(subject);
    })();
    await write({ subject: 'evt.accounts.deposited.dave' });
    await write({ subject: 'evt.accounts.deposited.carol' });
    await waitFor('the first', () => seen.length === 1);
    await write({ subject: 'evt.orders.placed.carol' });
    await following;
    assert.deepEqual(seen, ['evt.accounts.deposited.carol', 'evt.orders.placed.carol']);
  });

  test('a name that would select something else is refused', async () => {
    for (const query of [{ agent: '*' }, { module: 'a.b' }, { sender: '>' }, { agent: '' }]) {
      await assert.rejects(
        find(query),
        (error) => error instanceof FaultError && error.fault.code === 'NAME_INVALID',
      );
    }
  });

  test('the server takes the filters of every query', async () => {
    const options = { module: 'accounts', agent: 'alice', sender: 'guest', kind: 'cmd' } as const;
    const keys = Object.keys(options) as (keyof typeof options)[];
    const subsets = Array.from({ length: 16 }, (_, bits) =>
      Object.fromEntries(keys.filter((_key, i) => bits & (1 << i)).map((key) => [key, options[key]])),
    );
    for (const subset of subsets) await seqs(subset);
  });
});

test('filters are as narrow as the query allows', () => {
  assert.equal(subjectFilters({}), undefined);
  assert.deepEqual(subjectFilters({ module: 'M', agent: 'A' }), [
    'cmd.M.*.A.*',
    'res.M.*.A',
    'evt.M.*.A',
    'step.M.*.A',
    'wake.M.*.A',
    'cancel.M.*.A',
    'restart.M.*.A',
    'signal.M.*.A',
  ]);
  assert.deepEqual(subjectFilters({ kind: 'cmd', sender: 'S' }), ['cmd.*.*.S', 'cmd.*.*.*.S']);
  assert.deepEqual(subjectFilters({ kind: 'evt', module: 'M' }), ['evt.M.>']);
  assert.deepEqual(subjectFilters({ kind: 'epoch', module: 'M' }), []);
  const named = { actions: ['N'], events: ['N'] };
  assert.deepEqual(subjectFilters({ kind: 'cmd', sender: 'S', names: named }), ['cmd.*.N.S', 'cmd.*.N.*.S']);
  assert.deepEqual(subjectFilters({ module: 'M', names: named }), [
    ...['cmd.M.N.*', 'cmd.M.N.*.*', 'res.M.N', 'res.M.N.*', 'evt.M.N', 'evt.M.N.*', 'step.M.N', 'step.M.N.*'],
    ...['wake.M.N', 'wake.M.N.*'],
    ...['cancel.M.N', 'cancel.M.N.*'],
    ...['restart.M.N', 'restart.M.N.*'],
  ]);
  const names = { actions: ['deposit', 'balance'], events: ['deposited'] };
  assert.deepEqual(subjectFilters({ module: 'M', agent: 'A', names }), [
    'cmd.M.deposit.A.*',
    'cmd.M.balance.A.*',
    'res.M.deposit.A',
    'res.M.balance.A',
    'evt.M.deposited.A',
    'step.M.deposit.A',
    'step.M.balance.A',
    'wake.M.deposit.A',
    'wake.M.balance.A',
    'cancel.M.deposit.A',
    'cancel.M.balance.A',
    'restart.M.deposit.A',
    'restart.M.balance.A',
  ]);
});
