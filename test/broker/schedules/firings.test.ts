import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from 'nats';
import { LogIndex } from '../../../broker/index/log-index.js';
import { openBrokerEpoch } from '../../../broker/journal/epoch.js';
import { brokerEpochs } from '../../../broker/journal/epoch-source.js';
import { GROUPING } from '../../../broker/journal/grouping.js';
import { Producer } from '../../../broker/journal/producer.js';
import { Firings } from '../../../broker/schedules/firings.js';
import { Schedules } from '../../../broker/schedules/schedules.js';
import { ALL_FIRED, SCHED } from '../../../broker/schedules/stream.js';
import { HEADER } from '../../../schemas/headers.js';
import { LOG } from '../../../schemas/log.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Schedule, Timing } from '../../../schemas/schedule.js';
import { failure, success } from '../../support/either.js';
import { createLog, dial, readAll } from '../../support/log.js';
import { startServer } from '../../support/server.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const encoder = new TextEncoder();
const ADDRESS = { module: 'accounts', name: 'deposit', agent: 'alice' };

/** A broker's part that takes firings into the log: what one broker process has of it. */
interface Taking extends AsyncDisposable {
  readonly said: readonly string[];
}

const take = async (nc: NatsConnection, jsm: JetStreamManager, dir: string): Promise<Taking> => {
  // After a restart of the server the connection takes a moment.
  const { created, state } = await waitFor('the server to answer', () => jsm.streams.info(LOG));
  const said: string[] = [];
  const under = success(await openBrokerEpoch(nc)());
  const index = new LogIndex({
    nc,
    dir: join(dir, 'index'),
    logId: created,
    lastSeq: state.last_seq,
    onCommand: () => undefined,
    onResult: () => undefined,
    say: () => undefined,
    onLost: ({ message }) => said.push(message),
  });
  await index.start();
  const firings = new Firings({
    nc,
    jsm,
    index,
    open: () =>
      Producer.open({
        nc,
        name: 'scheduler',
        epochs: brokerEpochs({ nc, producer: 'scheduler', under, prefixes: ['cmd.'] }),
        grouping: GROUPING.fsync,
        onReplaced: () => undefined,
      }),
    log: (text) => said.push(text),
  });
  firings.start();
  return {
    said,
    [Symbol.asyncDispose]: async () => {
      await firings.close();
      await index.close();
    },
  };
};

const schedulesOf = (nc: NatsConnection, jsm: JetStreamManager, maxSchedules?: number): Schedules =>
  new Schedules({
    nc,
    jsm,
    lastFiring: () => undefined,
    onStream: () => undefined,
    ...(maxSchedules === undefined ? {} : { maxSchedules }),
  });

const add = async (schedules: Schedules, timing: Timing, sender = 'operator'): Promise<Schedule> =>
  success(
    await schedules.add({
      address: ADDRESS,
      sender,
      timing,
      data: encoder.encode('{"amount":5}'),
      headers: { [HEADER.deadline]: '2100-01-01T00:00:00Z' },
    })(),
  );

const soon = (ms: number): Timing => ({ kind: 'at', atMs: Date.now() + ms });

/** Commands in the log that this schedule sent. */
const sentBy = async (nc: NatsConnection, { id }: Schedule): Promise<readonly StoredMessage[]> =>
  (await readAll(nc, ['cmd.>'])).filter((message) => message.header(HEADER.schedule) === id);

const firedCount = async (jsm: JetStreamManager): Promise<number> => {
  const { state } = await jsm.streams.info(SCHED, { subjects_filter: ALL_FIRED });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
};

const inLog = (nc: NatsConnection, schedule: Schedule, count: number): Promise<readonly StoredMessage[]> =>
  waitFor(
    `${count} commands of schedule ${schedule.id}`,
    async () => {
      const found = await sentBy(nc, schedule);
      return found.length >= count ? found : undefined;
    },
    20_000,
  );

describe('firings', () => {
  it('I1 what a schedule fired while no broker ran is in the log once, as its sender’s command', async () => {
    await using dir = tempDir();
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    await createLog(nc);
    const jsm = await jetstreamManager(nc);
    const schedule = await add(schedulesOf(nc, jsm), soon(300));
    await waitFor('the server to fire', async () => (await firedCount(jsm)) === 1);
    assert.deepEqual(await sentBy(nc, schedule), []);
    await using _ = await take(nc, jsm, dir.path);
    const [command] = await inLog(nc, schedule, 1);
    assert.equal(command?.subject, 'cmd.accounts.deposit.alice.operator');
    assert.equal(command?.header(HEADER.deadline), '2100-01-01T00:00:00Z');
    assert.equal(command?.header(HEADER.next), undefined);
    assert.match(command?.header(HEADER.id) ?? '', /^scheduler\.\d+\.1$/);
    assert.equal(new TextDecoder().decode(command?.data), '{"amount":5}');
    await waitFor('the firing to leave its stream', async () => (await firedCount(jsm)) === 0);
    assert.equal((await sentBy(nc, schedule)).length, 1);
  });

  it('I1 a firing that the server repeats after kill -9 is in the log once', async () => {
    await using dir = tempDir();
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    await createLog(nc);
    const jsm = await jetstreamManager(nc);
    const schedules = schedulesOf(nc, jsm);
    const schedule = await add(schedules, { kind: 'every', everyMs: 4_000 });
    // At an orderly end the server writes down when the schedule is due; a kill behind the firing leaves that as it is.
    await server.restart('SIGTERM');
    await using taking = await take(nc, jsm, dir.path);
    const [first] = await inLog(nc, schedule, 1);
    await server.restart('SIGKILL');
    await waitFor(
      'the server to fire again',
      () => taking.said.some((text) => text.includes('fired again')),
      15_000,
    );
    const all = await inLog(nc, schedule, 2);
    const due = all.map((message) => message.header(HEADER.next));
    assert.equal(due[0], first?.header(HEADER.next));
    assert.equal(new Set(due).size, due.length, due.join(' '));
  });

  it('I1 a broker that ends between storing a firing and removing it does not store it again', async () => {
    await using dir = tempDir();
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    await createLog(nc);
    const jsm = await jetstreamManager(nc);
    const schedule = await add(schedulesOf(nc, jsm), soon(300));
    await waitFor('the server to fire', async () => (await firedCount(jsm)) === 1);
    // What cannot be removed stays as it does when the broker is killed before it asks.
    const stuck = {
      ...jsm,
      direct: jsm.direct,
      streams: {
        info: jsm.streams.info.bind(jsm.streams),
        purge: () => Promise.reject(new Error('killed here')),
      },
    } as unknown as JetStreamManager;
    {
      await using taking = await take(nc, stuck, dir.path);
      await inLog(nc, schedule, 1);
      await waitFor('the broker to come again', () =>
        taking.said.some((text) => text.includes('fired again')),
      );
    }
    assert.equal(await firedCount(jsm), 1);
    // With the index that the first left, and with none.
    for (const path of [dir.path, join(dir.path, 'another')]) {
      await using taking = await take(nc, path === dir.path ? stuck : jsm, path);
      await waitFor('the firing to be left out', () =>
        taking.said.some((text) => text.includes('fired again')),
      );
    }
    await waitFor('the firing to be removed', async () => (await firedCount(jsm)) === 0);
    assert.equal((await sentBy(nc, schedule)).length, 1);
  });

  it('I1 a schedule outlives kill -9 of the server before it is due, and one that was cancelled does not come back', async () => {
    await using dir = tempDir();
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    await createLog(nc);
    const jsm = await jetstreamManager(nc);
    const schedules = schedulesOf(nc, jsm);
    const kept = await add(schedules, soon(1_500));
    const cancelled = await add(schedules, soon(1_500));
    success(await schedules.cancel(cancelled.id)());
    await server.restart('SIGKILL');
    await using _ = await take(nc, jsm, dir.path);
    await inLog(nc, kept, 1);
    // Fired a moment later than the one that was kept, it would be here.
    const after = await add(schedules, soon(300));
    await inLog(nc, after, 1);
    assert.deepEqual(await sentBy(nc, cancelled), []);
    assert.deepEqual(success(await schedules.list(1)()).schedules, []);
    assert.equal(failure(await schedules.cancel(kept.id)()).code, 'SCHEDULE_UNKNOWN');
  });

  it('I8 what a schedule fires waits, aloud, while the log is full', async () => {
    await using dir = tempDir();
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    await createLog(nc, 50_000);
    const jsm = await jetstreamManager(nc);
    await using taking = await take(nc, jsm, dir.path);
    for (;;) {
      const ack = (await nc.request('evt.accounts.deposited', 'x'.repeat(200), { timeout: 5_000 })).json<{
        error?: { err_code: number };
      }>();
      if (ack.error?.err_code === 10077) break;
    }
    const schedule = await add(schedulesOf(nc, jsm), soon(300));
    await waitFor('the broker to say so', () => taking.said.some((text) => text.includes('LOG_FULL')));
    assert.equal(await firedCount(jsm), 1);
    await jsm.streams.update(LOG, { max_bytes: 1_000_000 });
    assert.equal((await inLog(nc, schedule, 1)).length, 1);
    await waitFor('the firing to leave its stream', async () => (await firedCount(jsm)) === 0);
    assert.equal((await sentBy(nc, schedule)).length, 1);
  });

  it('I7 nobody can pretend a firing of another sender’s schedule', async () => {
    await using dir = tempDir();
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    await createLog(nc);
    const jsm = await jetstreamManager(nc);
    const schedule = await add(schedulesOf(nc, jsm), soon(700));
    const forged = headers();
    forged.set(HEADER.schedule, schedule.id);
    await nc.request('cmd.accounts.deposit.alice.guest', '{"amount":5}', { headers: forged, timeout: 5_000 });
    await using _ = await take(nc, jsm, dir.path);
    const all = await inLog(nc, schedule, 2);
    assert.deepEqual(
      all.map(({ subject }) => subject.split('.').at(-1)),
      ['guest', 'operator'],
    );
  });

  it('I8 above the bound a schedule is refused, and those that are there stay', async () => {
    await using server = await startServer({ syncInterval: 'always' });
    await using nc = await dial(server);
    const jsm = await jetstreamManager(nc);
    const schedules = schedulesOf(nc, jsm, 3);
    const all = [];
    for (let i = 0; i < 3; i++) all.push(await add(schedules, { kind: 'every', everyMs: 3_600_000 }));
    const request = { address: ADDRESS, sender: 'operator', data: new Uint8Array(), headers: {} };
    const over = await schedules.add({ ...request, timing: soon(60_000) })();
    assert.equal(failure(over).code, 'SCHEDULES_FULL');
    assert.deepEqual(
      success(await schedules.list(1)()).schedules.map(({ id }) => id),
      all.map(({ id }) => id),
    );
    const large = await schedules.add({
      ...request,
      data: new Uint8Array(1_048_576),
      timing: soon(60_000),
    })();
    assert.equal(failure(large).code, 'PAYLOAD_TOO_LARGE');
  });
});
