import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { createProducer } from '../../modules/client/index.js';
import { counting } from '../fixtures/counting.js';
import type { TestBroker } from '../support/broker.js';
import { failure, success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { processesMentioning } from '../support/processes.js';
import {
  type Counted,
  gapIn,
  type Producing,
  readCounted,
  startCounting,
  startProducing,
} from '../support/producing.js';
import { stopped } from '../support/stopped.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const ROUNDS = byForm({ short: 2, deep: 8 });
/** A life is killed behind a random number of accepted records up to this one. */
const LIFE = byForm({ short: 300, deep: 3_000 });

const serverOf = (broker: TestBroker): number => {
  const found = processesMentioning(broker.dataDir).find(({ command }) => command.includes('nats-server'));
  assert.ok(found);
  return found.pid;
};

describe('a producer with an outbox', () => {
  let home: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;

  before(async () => {
    home = tempDir();
    broker = await startCounting(home.path, 'fsync');
    nc = await connect({
      servers: broker.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      reconnectJitter: 0,
    });
  });

  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const of = async (name: string): Promise<readonly Counted[]> =>
    (await readCounted(broker.dataDir)).filter(({ producer }) => producer === `guest~${name}`);

  /** What the log must have after all lives: everything accepted, once, in the order of acceptance. */
  const check = async (name: string, accepted: ReadonlySet<number>): Promise<void> => {
    const records = await of(name);
    const numbers = records.map(({ i }) => i);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
    );
    const stored = new Set(numbers);
    const lost = [...accepted].filter((i) => !stored.has(i));
    assert.deepEqual(lost, []);
    assert.equal(gapIn(records), undefined);
  };

  /** How many records of earlier lives it found in its outbox. It may be killed before it says so. */
  const resumedBy = ({ lines }: Producing): number =>
    Number(lines.find((line) => line.startsWith('resumed '))?.split(' ')[1] ?? 0);

  const kills = (name: string, disturb: (round: number, program: Producing) => Promise<void>) => async () => {
    const outbox = join(home.path, name);
    const accepted = new Set<number>();
    let first = 0;
    let resumed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const program = startProducing(broker.url, name, outbox, first, 1_000_000, 300);
      await waitFor('the program to be ready', () => program.lines.some((line) => line === 'ready'), 30_000);
      await disturb(round, program);
      program.child.kill('SIGKILL');
      await program.exited;
      for (const i of program.numbers('accepted')) accepted.add(i);
      resumed += resumedBy(program);
      assert.deepEqual(program.numbers('refused'), []);
      // Numbers that it did not get to say anything of may be there or not; the next life leaves them alone.
      first = Math.max(first, ...program.numbers('accepted')) + 1_000;
    }
    const last = startProducing(broker.url, name, outbox, first, 10, 1);
    await waitFor('the last life to end', () => last.lines.includes('done'), 60_000);
    await last.exited;
    for (const i of last.numbers('accepted')) accepted.add(i);
    resumed += resumedBy(last);
    assert.ok(resumed > 0, 'lives ended with something to resume');
    await check(name, accepted);
  };

  test(
    'I1 I2 a program that is killed at random moments loses nothing that it accepted, and nothing is there twice',
    kills('killed', async (_, program) => {
      const some = Math.floor(Math.random() * LIFE);
      await waitFor(`${some} to be accepted`, () => program.numbers('accepted').length >= some, 60_000);
    }),
  );

  test(
    'I1 I2 the same when the server is killed too, before the program or with it',
    kills('both', async (round, program) => {
      const some = Math.floor((Math.random() * LIFE) / 3);
      await waitFor(`${some} to be accepted`, () => program.numbers('accepted').length >= some, 60_000);
      process.kill(serverOf(broker), 'SIGKILL');
      const before = program.numbers('accepted').length;
      if (round % 3 === 0)
        await waitFor('more to be accepted', () => program.numbers('accepted').length > before + 100, 60_000);
    }),
  );

  test('what is accepted while the log does not answer is stored by the next life, in its order', async () => {
    const outbox = join(home.path, 'later');
    const program = startProducing(broker.url, 'later', outbox, 0, 1_000, 1_000);
    await waitFor('the program to send', () => program.numbers('accepted').length > 0, 30_000);
    using server = await stopped(serverOf(broker));
    await waitFor('all to be accepted', () => program.numbers('accepted').length === 1_000);
    program.child.kill('SIGKILL');
    await program.exited;
    server.goOn();
    const next = startProducing(broker.url, 'later', outbox, 1_000, 1, 1);
    await waitFor('the next life to end', () => next.lines.includes('done'), 30_000);
    await check('later', new Set(program.numbers('accepted')));
  });

  test('closed with records on their way, it says that it has them, and they are stored by the next life', async () => {
    const outbox = join(home.path, 'closed');
    const first = success(await createProducer(nc, { name: 'closed', outbox })());
    success(await first.send(counting, 'count', 'a', { i: 0 })());
    using server = await stopped(serverOf(broker));
    const accepted = [];
    for (const i of [1, 2, 3]) accepted.push(success(await first.accept(counting, 'count', 'a', { i })()));
    await first.close();
    for (const { stored } of accepted) assert.equal(failure(await stored).code, 'LOG_UNCERTAIN');
    server.goOn();
    const second = success(await createProducer(nc, { name: 'closed', outbox })());
    const { records, found, stored, fault } = await second.resumed;
    assert.deepEqual([records, found + stored, fault], [3, 3, undefined]);
    success(await second.send(counting, 'count', 'a', { i: 4 })());
    await second.close();
    const third = success(await createProducer(nc, { name: 'closed', outbox })());
    assert.equal((await third.resumed).records, 0);
    await third.close();
    assert.deepEqual(
      (await of('closed')).map(({ i }) => i),
      [0, 1, 2, 3, 4],
    );
  });

  test('a second process is told who has the outbox', async () => {
    const outbox = join(home.path, 'mine');
    await using first = success(await createProducer(nc, { name: 'mine', outbox })());
    success(await first.send(counting, 'count', 'a', { i: 0 })());
    const second = startProducing(broker.url, 'other', outbox, 0, 1, 1);
    await second.exited;
    assert.match(second.lines.at(-1) ?? '', /^failed DATA_DIR_IN_USE .*in use by pid/);
  });

  test('records of another producer are not sent under this name', async () => {
    const outbox = join(home.path, 'name');
    const first = success(await createProducer(nc, { name: 'name', outbox })());
    using server = await stopped(serverOf(broker));
    success(await first.accept(counting, 'count', 'a', { i: 0 })());
    await first.close();
    server.goOn();
    const other = failure(await createProducer(nc, { name: 'rename', outbox })());
    assert.equal(other.code, 'OUTBOX_UNAVAILABLE');
    const again = success(await createProducer(nc, { name: 'name', outbox })());
    assert.equal((await again.resumed).records, 1);
    await again.close();
  });

  test('a damaged outbox is set aside and said, and the producer works', async () => {
    const outbox = join(home.path, 'damaged');
    mkdirSync(join(outbox, 'records'), { recursive: true });
    writeFileSync(
      join(outbox, 'records', 'data.mdb'),
      'not a database at all, and long enough to be looked at',
    );
    const program = startProducing(broker.url, 'damaged', outbox, 0, 3, 1);
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.ok(program.lines.some((line) => line.startsWith('fault OUTBOX_UNAVAILABLE')));
    assert.ok(readdirSync(outbox).some((name) => name.startsWith('records.damaged-')));
    assert.deepEqual(program.numbers('stored'), [0, 1, 2]);
  });

  test('an outbox that the disk has no room for is said, and what it could not keep is stored all the same', async () => {
    const outbox = join(home.path, 'full');
    const program = startProducing(broker.url, 'full', outbox, 0, 3_000, 3_000, { maxFileKb: 128 });
    await waitFor('some to be stored', () => program.numbers('stored').length > 100, 30_000);
    using server = await stopped(serverOf(broker));
    await waitFor(
      'the fault to be said',
      () => program.lines.some((line) => line.startsWith('fault ')),
      30_000,
    );
    server.goOn();
    await waitFor('the program to end', () => program.lines.includes('done'), 30_000);
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.match(
      program.lines.find((line) => line.startsWith('fault ')) ?? '',
      /OUTBOX_UNAVAILABLE .*cannot be written/,
    );
    assert.equal(program.numbers('stored').length, 3_000);
    await check('full', new Set(program.numbers('accepted')));
  });

  test('an outbox that cannot be opened is a typed error', async () => {
    const program = startProducing(broker.url, 'none', join(home.path, 'none'), 0, 1, 1, { maxFileKb: 16 });
    await program.exited;
    assert.match(program.lines.at(-1) ?? '', /^failed OUTBOX_UNAVAILABLE .*cannot be opened/);
  });
});
