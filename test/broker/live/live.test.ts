import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection, nkeyAuthenticator } from 'nats';
import { type AccountSubscriptions, LiveInterest } from '../../../broker/live/live-interest.js';
import { logConfig } from '../../../broker/streams/log-stream.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { connectCore } from '../../support/fill-log.js';
import { byForm } from '../../support/form.js';
import { readLog } from '../../../journal/read/reader.js';
import { connectOperator } from '../../support/log-checks.js';
import { startServerElsewhere, writeAccounts } from '../../support/server-elsewhere.js';
import type { TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

const TRIES = byForm({ short: 12, deep: 100 });

/** The sequence of the command. */
const deposit = async (nc: NatsConnection, agent: string): Promise<number> => {
  const reply = await nc.request(`call.accounts.deposit.${agent}`, '{"amount":1}', { timeout: 20_000 });
  assert.equal(reply.json<{ status: string }>().status, 'ok', reply.string());
  return Number(reply.headers?.get('Tally-Cause'));
};

/** A listener whose subscription stands, and the sequences that it heard. */
const listen = async (nc: NatsConnection, filter: string) => {
  const seqs: number[] = [];
  const subjects: string[] = [];
  const subscription = nc.subscribe(filter, {
    callback: (_, msg) => {
      seqs.push(Number(msg.headers?.last('Nats-Sequence')));
      subjects.push(msg.subject);
    },
  });
  await nc.flush();
  return { seqs, subjects, end: () => subscription.unsubscribe() };
};

describe('live.…', () => {
  let broker: TestBroker;
  let caller: NatsConnection;

  before(async () => {
    broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
    caller = await connect({ servers: broker.url });
  });

  after(async () => {
    await caller?.close();
    await broker?.[Symbol.asyncDispose]();
  });

  const connectAs = (who: 'guest' | 'operator'): Promise<NatsConnection> =>
    who === 'guest' ? connect({ servers: broker.url }) : connectOperator(broker.dataDir);

  for (const who of ['guest', 'operator'] as const) {
    it(`shows a ${who} each record that was stored after the subscription, in ${TRIES} tries`, async () => {
      for (let i = 0; i < TRIES; i++) {
        const agent = `${who}-${i}`;
        const nc = await connectAs(who);
        const heard = await listen(nc, `live.evt.accounts.*.${agent}`);
        await deposit(caller, agent);
        await waitFor(`event ${i}`, () => heard.seqs.length > 0);
        assert.deepEqual(heard.subjects, [`live.evt.accounts.deposited.${agent}`]);
        await nc.close();
      }
    });
  }

  it('shows each listener each record once, while listeners come and go and others call', async () => {
    const listeners = await connectAs('guest');
    const old = await listen(listeners, 'live.evt.accounts.>');
    const first = await deposit(caller, 'first');
    await waitFor('the first event', () => old.seqs.length === 1);
    let isOver = false;
    const calling = Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        for (let n = 0; !isOver; n++) await deposit(caller, `busy-${i}-${n % 5}`);
      }),
    );
    const filters = ['live.>', 'live.res.>', 'live.evt.*.deposited.*', 'live.cmd.accounts.deposit.*.guest'];
    // A listener also hears some records from just before its subscription. It must hear all that were stored after it.
    const comers: { filter: string; from: number; heard: Awaited<ReturnType<typeof listen>> }[] = [];
    for (let i = 0; i < 40; i++) {
      const filter = filters[i % filters.length] as string;
      const heard = await listen(listeners, filter);
      comers.push({ filter, heard, from: await deposit(caller, 'after') });
      await waitFor(`listener ${i}`, () => heard.seqs.length > 0);
      if (i % 3 === 0) heard.end();
    }
    isOver = true;
    await calling;
    const nc = await connectOperator(broker.dataDir);
    const subjects = new Map<number, string>();
    const countOf = (kind: string): number =>
      [...subjects.values()].filter((each) => each.startsWith(kind)).length;
    await waitFor('each result to have its event in the log', async () => {
      for await (const { seq, subject } of readLog(nc, { headersOnly: true })) subjects.set(seq, subject);
      return countOf('res.') === countOf('evt.');
    });
    await nc.close();
    const wanted = (filter: string, from: number): readonly number[] => {
      const tokens = filter.split('.').slice(1);
      const parts = tokens.map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token));
      const pattern = new RegExp(`^${parts.join('\\.')}$`);
      return [...subjects]
        .filter(([seq, subject]) => seq >= from && pattern.test(subject))
        .map(([seq]) => seq);
    };
    const since = (heard: { seqs: readonly number[] }, from: number): readonly number[] =>
      heard.seqs.filter((seq) => seq >= from).toSorted((a, b) => a - b);
    const events = wanted('live.evt.accounts.>', first);
    await waitFor('the last event', () => old.seqs.length >= events.length);
    assert.deepEqual(old.seqs, events);
    for (const [i, { filter, from, heard }] of comers.entries()) {
      assert.equal(new Set(heard.seqs).size, heard.seqs.length, `listener ${i} heard a record twice`);
      if (i % 3 === 0) continue;
      const all = wanted(filter, from);
      await waitFor(`the last record of listener ${i}`, () => since(heard, from).length >= all.length);
      assert.deepEqual(since(heard, from), all, `listener ${i} of ${filter}`);
    }
    await listeners.close();
  });
});

describe('live.… of a server that runs elsewhere', () => {
  let dir: TempDir;
  let dataDir: string;
  let server: TestServer;

  before(async () => {
    dir = tempDir();
    dataDir = join(dir.path, 'data');
    const args = ['--no-shipped', '--module', join('dist', 'modules', 'accounts')];
    await writeAccounts(dataDir, args);
    server = await startServerElsewhere(dataDir, { syncInterval: '2m' });
  });

  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  it('is the broker’s alone: a log that an older version made is updated, and no record comes twice', async () => {
    const core = await connectCore(server.url, dataDir);
    const jsm = await jetstreamManager(core);
    await jsm.streams.add({ ...logConfig(1_000_000_000), republish: { src: '>', dest: 'live.>' } });
    await core.close();
    await using broker = await startBroker({
      dataDir,
      natsUrl: server.url,
      shipped: ['accounts'],
      args: ['--durability', 'os'],
    });
    assert.ok(
      broker.stderr.some((line) => /\[log\] republish was .* and is now/.test(line)),
      broker.stderr.join('\n'),
    );
    const operator = await connectOperator(dataDir);
    const { config } = await (await jetstreamManager(operator)).streams.info('LOG');
    assert.equal(config.republish, undefined);
    await operator.close();
    const guest = await connect({ servers: server.url });
    const heard = await listen(guest, 'live.>');
    await deposit(guest, 'x');
    await deposit(guest, 'x');
    await waitFor('two commands, results and events', () => heard.seqs.length >= 6);
    await deposit(guest, 'x');
    await waitFor('the third', () => heard.seqs.length >= 9);
    assert.equal(new Set(heard.seqs).size, heard.seqs.length);
    await guest.close();
  });

  it('is asked for again only when a subscription came or went; too many to list mean everything', async () => {
    const seed = readFileSync(join(dataDir, 'keys', 'system.nk'), 'utf8').trim();
    const sys = await connect({
      servers: server.url,
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
    });
    let lists = 0;
    const interest = new LiveInterest(async (isListed) => {
      if (isListed) lists += 1;
      const body = JSON.stringify({ account: 'CORE', subscriptions: isListed });
      const reply = await sys.request(`$SYS.REQ.SERVER.${sys.info?.server_id}.SUBSZ`, body, PATIENT);
      return reply.json<{ data: AccountSubscriptions }>().data;
    });
    const nobody = await interest.look();
    assert.equal(nobody.isEmpty, true);
    assert.equal(await interest.look(), nobody);
    assert.equal(lists, 1);

    const guest = await connect({ servers: server.url });
    const one = guest.subscribe('live.evt.*.deposited.>', { callback: () => undefined });
    guest.subscribe('_INBOX.x.>', { callback: () => undefined });
    await guest.flush();
    const some = await interest.look();
    assert.equal(some.has('evt.accounts.deposited.x'), true);
    assert.equal(some.has('res.accounts.deposit.x'), false);
    assert.equal(await interest.look(), some);
    assert.equal(lists, 2);

    one.unsubscribe();
    await guest.flush();
    assert.equal((await interest.look()).isEmpty, true);

    const others = await Promise.all([1, 2].map(() => connect({ servers: server.url })));
    for (const nc of others) {
      for (let i = 0; i < 700; i++) nc.subscribe(`live.evt.a.b.${i}`, { callback: () => undefined });
      await nc.flush();
    }
    assert.equal((await interest.look()).has('res.accounts.deposit.x'), true);
    await Promise.all([sys, guest, ...others].map((nc) => nc.close()));
  });
});
