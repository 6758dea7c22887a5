import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from 'nats';
import { Conversations } from '../../../store/log-index/index.js';
import { HEADER } from '../../../schemas/headers.js';
import { failure, success } from '../../support/either.js';
import { byForm, inDeep } from '../../support/form.js';
import { startIndexing } from '../../support/indexing.js';
import { createLog, dial } from '../../support/log.js';
import { Seeded } from '../../support/seeded.js';
import { startServer, type TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { thrownCode } from '../../support/thrown-code.js';
import { waitFor } from '../../support/wait-for.js';

const testInDeep = inDeep(test);

const SEED = Math.floor(Math.random() * 2 ** 32);
const KILLS = byForm({ short: 2, deep: 6 });

describe('open conversations are looked up from another process', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let home: TempDir;
  let conversations: Conversations;
  let lastSeq = 0;

  before(async () => {
    server = await startServer({ name: 'conversations', syncInterval: '2m' });
    nc = await dial(server);
    await createLog(nc);
  });
  after(async () => {
    await nc.close();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    home = tempDir();
    conversations = new Conversations(home.path);
  });
  afterEach(async () => {
    await conversations.close();
    await home[Symbol.asyncDispose]();
  });

  const publish = async (subject: string, more: Readonly<Record<string, string | number>> = {}) => {
    const all = headers();
    for (const [name, value] of Object.entries(more)) all.set(name, String(value));
    const { seq } = await jetstream(nc).publish(subject, '{}', { headers: all });
    lastSeq = Math.max(lastSeq, seq);
    return seq;
  };
  const start = (options?: Parameters<typeof startIndexing>[2]) =>
    startIndexing(server.url, home.path, options);
  /** Everything that is open, and where it stands. */
  const all = () =>
    waitFor('one look between two groups', () => {
      const before = conversations.position?.seq ?? 0;
      const found = conversations.list({ limit: 1_000_000 }).conversations;
      return (conversations.position?.seq ?? 0) === before && { seq: before, found };
    });
  const answerAll = async (): Promise<void> => {
    success(await conversations.atLeast(lastSeq)());
    for (const { conversation } of (await all()).found) {
      await publish('res.m.a.x', { [HEADER.cause]: conversation });
    }
  };

  test('where no broker has run that is a typed error', () => {
    assert.equal(
      thrownCode(() => conversations.get(1)),
      'CONVERSATIONS_UNAVAILABLE',
    );
    assert.equal(existsSync(join(home.path, 'index')), false, 'looking makes no files');
  });

  test('it is found while it has open commands, with what is known of it, and gone when it has none', async () => {
    const indexing = await start();
    const first = await publish('cmd.orders.place.o-1.guest');
    const found = await waitFor('the conversation', () => conversations.get(first));
    assert.deepEqual(found.participants, ['guest', 'orders/o-1']);
    assert.deepEqual([found.commands, found.last.seq, found.last.time], [1, first, found.began]);
    const of = { [HEADER.conversation]: first };
    const call = await publish('cmd.accounts.withdraw.alice.orders', { ...of, [HEADER.cause]: first });
    success(await conversations.atLeast(call)());
    assert.equal(conversations.get(first)?.commands, 2);
    const event = await publish('evt.accounts.seen.alice', { ...of, [HEADER.cause]: call });
    success(await conversations.atLeast(event)());
    assert.equal(conversations.get(first)?.last.seq, event);
    assert.equal(conversations.count(), 1);
    await publish('res.accounts.withdraw.alice', { ...of, [HEADER.cause]: call });
    const last = await publish('res.orders.place.o-1', { ...of, [HEADER.cause]: first });
    success(await conversations.atLeast(last)());
    assert.equal(conversations.has(first), false);
    assert.equal(conversations.count(), 0);
    const late = failure(await conversations.atLeast(lastSeq + 1, { timeoutMs: 20 })());
    assert.equal(late.code, 'CONVERSATIONS_BEHIND');
    await indexing.end('SIGTERM');
  });

  test('each look sees what was committed last, whatever was looked at before it', async () => {
    const indexing = await start();
    const witness = new Conversations(home.path);
    const opened: number[] = [await publish('cmd.m.a.x.guest')];
    success(await conversations.atLeast(opened[0] as number)());
    const looks: Readonly<Record<string, (id: number) => unknown>> = {
      count: () => assert.equal(conversations.count(), opened.length),
      has: (id) => assert.equal(conversations.has(id), true),
      get: (id) => assert.equal(conversations.get(id)?.commands, 1),
      list: () => assert.equal(conversations.list().conversations.length, opened.length),
      position: (id) => assert.ok((conversations.position?.seq ?? 0) >= id),
    };
    // Each look is the first one after each other one, with a commit in between that another reader has seen.
    for (const [before, first] of Object.entries(looks)) {
      for (const [after, second] of Object.entries(looks)) {
        const known = opened.at(-1) as number;
        await new Promise((resume) => setTimeout(resume, 3));
        first(known);
        const next = await publish('cmd.m.a.x.guest');
        opened.push(next);
        success(await witness.atLeast(next)());
        try {
          second(next);
        } catch (error) {
          throw new Error(`${after} after ${before}`, { cause: error });
        }
      }
    }
    for (const seq of opened) await publish('res.m.a.x', { [HEADER.cause]: seq });
    await witness.close();
    await indexing.end('SIGTERM');
  });

  test('they are listed in pages, the oldest first, also those of one module or agent', async () => {
    const indexing = await start();
    const opened: number[] = [];
    for (let i = 0; i < 10; i++) opened.push(await publish(`cmd.m.a.agent-${i % 5}.guest`));
    const other = await publish('cmd.n.a.agent-1.operator');
    success(await conversations.atLeast(other)());
    const pages: number[][] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = conversations.list({ after, limit: 4 });
      pages.push(page.conversations.map(({ conversation }) => conversation));
      after = page.next;
    }
    assert.deepEqual(pages, [opened.slice(0, 4), opened.slice(4, 8), [...opened.slice(8), other]]);
    const of = (who: object): number => conversations.list(who).conversations.length;
    assert.deepEqual(
      [{ module: 'm' }, { module: 'n' }, { agent: 'agent-1' }, { module: 'm', agent: 'agent-1' }].map(of),
      [10, 1, 3, 2],
    );
    assert.deepEqual([{ module: 'operator' }, { module: 'nobody' }].map(of), [1, 0]);
    for (const seq of [...opened, other]) {
      await publish(seq === other ? 'res.n.a.x' : 'res.m.a.x', { [HEADER.cause]: seq });
    }
    await indexing.end('SIGTERM');
  });

  test('I6 I9 while the index is killed again and again, what is found is the fold of the log up to its position', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const random = new Seeded(SEED);
    /** Open commands of each conversation, and which conversations were open at each sequence. */
    const open = new Map<number, number[]>();
    const history = new Map<number, string>();
    const note = (seq: number): void => {
      const counts = [...open].map(([id, commands]): [number, number] => [id, commands.length]);
      history.set(seq, JSON.stringify(counts.sort(([a], [b]) => a - b)));
    };
    const step = async (): Promise<void> => {
      const ids = [...open.keys()];
      const kind = random.int(0, 9);
      if (ids.length === 0 || (kind < 4 && ids.length < 50)) {
        const seq = await publish(`cmd.m.a.agent-${random.int(0, 9)}.guest`);
        open.set(seq, [seq]);
        return note(seq);
      }
      const id = random.pick(ids);
      const commands = open.get(id) as number[];
      if (kind === 4) {
        const seq = await publish('cmd.m.b.other.m', { [HEADER.conversation]: id });
        commands.push(seq);
        return note(seq);
      }
      if (kind === 5) return note(await publish('evt.m.happened.agent-1', { [HEADER.conversation]: id }));
      const [cause] = commands.splice(random.int(0, commands.length - 1), 1);
      if (commands.length === 0) open.delete(id);
      note(await publish('res.m.a.x', { [HEADER.cause]: cause as number, [HEADER.conversation]: id }));
    };
    note(lastSeq);
    for (let kills = 0; kills < KILLS; kills++) {
      const indexing = await start();
      assert.equal(indexing.ready.open, open.size, 'what it had caught up with');
      const until = random.int(50, 250);
      for (let i = 0; i < until; i++) {
        await step();
        if (random.int(0, 4) > 0) continue;
        const { seq, found } = await all();
        const counts = found.map(({ conversation, commands }) => [conversation, commands]);
        if (history.has(seq)) assert.equal(JSON.stringify(counts), history.get(seq), `at ${seq}`);
      }
      await indexing.end('SIGKILL');
    }
    const indexing = await start();
    success(await conversations.atLeast(lastSeq)());
    const { found } = await all();
    assert.equal(
      JSON.stringify(found.map(({ conversation, commands }) => [conversation, commands])),
      history.get(lastSeq),
    );
    for (const { conversation, participants } of found) {
      assert.equal(participants[0], 'guest', `${conversation} keeps who began it`);
    }
    for (const [id, commands] of open) {
      for (const seq of commands)
        await publish('res.m.a.x', { [HEADER.cause]: seq, [HEADER.conversation]: id });
    }
    await indexing.end('SIGTERM');
  });

  testInDeep(
    'a full disk stops nothing: it is said once, and what is missing is there once there is room',
    async () => {
      const full = await start({ maxFileKb: 400 });
      const count = 3_000;
      await Promise.all(Array.from({ length: count }, (_, i) => publish(`cmd.m.a.agent-${i}.guest`)));
      await waitFor('it to be said', () => full.said().length > 0);
      const answered = await publish('cmd.m.a.x.guest');
      await publish('res.m.a.x', { [HEADER.cause]: answered });
      await full.end('SIGTERM');
      assert.equal(full.said().length, 1, full.said().join('\n'));
      assert.match(full.said()[0] ?? '', /^DATA_DIR_UNUSABLE: .*cannot be written/);
      const roomy = await start();
      assert.equal(roomy.ready.open, count);
      success(await conversations.atLeast(lastSeq)());
      assert.equal(conversations.count(), count);
      await answerAll();
      await waitFor('all to end', () => conversations.count() === 0);
      await roomy.end('SIGTERM');
    },
  );

  test('without room at its start it works from memory, as if it had no files', async () => {
    const open = await publish('cmd.m.a.x.guest');
    const full = await start({ maxFileKb: 64 });
    assert.equal(full.ready.open, 1);
    await waitFor('it to be said', () => full.said().length > 0);
    assert.match(full.said().join('\n'), /^DATA_DIR_UNUSABLE: .*works from memory/);
    await full.end('SIGTERM');
    await publish('res.m.a.x', { [HEADER.cause]: open });
  });

  testInDeep(
    'I1 after a loss of power all of it is read again, what schedules have sent too; an orderly end keeps it',
    async () => {
      const schedule = 'guest/a-schedule';
      const next = '2030-01-01T00:00:00.000Z';
      await publish('cmd.m.a.x.guest', {
        [HEADER.id]: 'scheduler.1.1',
        [HEADER.schedule]: 'a-schedule',
        [HEADER.next]: next,
      });
      const one = await start({ env: { TALLYSTICK_BOOT: 'one' } });
      await waitFor('the files', () => readFileSync(join(home.path, 'index', 'boot'), 'utf8') === 'one');
      await one.end('SIGKILL');
      await conversations.close();
      assert.equal(
        thrownCode(() => conversations.count()),
        'CONVERSATIONS_UNAVAILABLE',
        'this is another boot than `one`',
      );
      const same = await start({ env: { TALLYSTICK_BOOT: 'one' } });
      assert.deepEqual(same.said(), []);
      await same.end('SIGKILL');
      const two = await start({ env: { TALLYSTICK_BOOT: 'two' } });
      assert.match(two.said().join('\n'), /machine stopped before.*read from the log again/);
      assert.equal(two.ready.open, 1);
      assert.equal(await two.lastFiring(schedule), String(Date.parse(next)));
      await two.end('SIGTERM');
      const three = await start({ env: { TALLYSTICK_BOOT: 'three' } });
      assert.deepEqual(three.said(), []);
      assert.equal(await three.lastFiring(schedule), String(Date.parse(next)));
      await three.end('SIGTERM');
      await answerAll();
    },
  );

  testInDeep('files that take the process down are not opened a second time', async (t) => {
    const open = await publish('cmd.m.a.x.guest');
    // Killed, since an orderly end leaves what shows the damage before LMDB meets it.
    const killed = await start();
    success(await conversations.atLeast(open)());
    await killed.end('SIGKILL');
    const data = join(home.path, 'index', 'data.mdb');
    const damaged = readFileSync(data);
    // All but the two pages that say what there is.
    damaged.fill(0xff, 8_192);
    writeFileSync(data, damaged);
    // It dies in LMDB, or is told, and then works from memory or begins anew: which of them is up to the bytes.
    const first = await start().catch((error: Error) => t.diagnostic(error.message));
    await first?.end('SIGKILL');
    const second = await start();
    const said = [...(first?.said() ?? []), ...second.said()].join();
    assert.match(said, /is kept as .*index\.damaged-\d+ and read from the log again/);
    assert.equal(second.ready.open, 1);
    success(await conversations.atLeast(open)());
    await answerAll();
    await second.end('SIGTERM');
  });
});
