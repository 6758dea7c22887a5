import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import fc from 'fast-check';
import { headers } from 'nats';
import { SCHED } from '../../../broker/streams/schedule-stream.js';
import { HEADER } from '../../../schemas/headers.js';
import { LOG } from '../../../schemas/log.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Schedule, Timing } from '../../../schemas/schedule.js';
import { failure, success } from '../../support/either.js';
import { inDeep } from '../../support/form.js';
import { waitFor } from '../../support/wait-for.js';

import {
  ADDRESS,
  start,
  add,
  emptyLog,
  addOnce,
  soon,
  sentBy,
  leftOf,
  listOf,
  inLog,
  nexts,
} from './firing-rig.js';

const itInDeep = inDeep(it);

describe('firings', () => {
  it('I1 what was due while no broker ran is in the log once, as its sender’s command', async () => {
    await using home = await emptyLog();
    const { dir, nc, jsm } = home;
    const schedule = await addOnce(home, soon(2_000));
    await waitFor('it to be due', () => Date.now() > Date.parse(schedule.next));
    assert.deepEqual(await sentBy(nc, schedule), []);
    await using part = await start(nc, jsm, dir.path);
    const [command] = await inLog(nc, schedule, 1);
    assert.equal(command?.subject, 'cmd.accounts.deposit.alice.operator');
    assert.equal(command?.header(HEADER.deadline), '2100-01-01T00:00:00Z');
    assert.equal(command?.header(HEADER.next), undefined);
    assert.match(command?.header(HEADER.id) ?? '', /^scheduler\.\d+\.1$/);
    assert.equal(new TextDecoder().decode(command?.data), '{"amount":5}');
    await waitFor('the schedule to leave its stream', async () => (await leftOf(jsm)) === 0);
    // The broker hears of it a moment after the server has removed it.
    await waitFor('the list to be empty', async () => (await listOf(part.schedules)).length === 0);
    assert.equal((await sentBy(nc, schedule)).length, 1);
  });

  itInDeep(
    'I1 a repeated command keeps its rhythm when the server is killed, comes once each time, and once for what was missed',
    async () => {
      await using home = await emptyLog();
      const { dir, nc, jsm, server } = home;
      let schedule: Schedule;
      let before: readonly StoredMessage[];
      {
        await using part = await start(nc, jsm, dir.path);
        schedule = await add(part.schedules, { kind: 'every', everyMs: 1_000 });
        await inLog(nc, schedule, 2);
        await server.restart('SIGKILL');
        before = await inLog(nc, schedule, 4);
      }
      const last = Date.parse(nexts(await sentBy(nc, schedule)).at(-1) ?? '');
      await waitFor('three to be missed', () => Date.now() > last + 2_000);
      await using part = await start(nc, jsm, dir.path);
      const all = await inLog(nc, schedule, before.length + 3);
      const due = nexts(all).map((text) => Date.parse(text ?? ''));
      assert.equal(new Set(due).size, due.length, due.join(' '));
      // All at the rhythm of the first one.
      for (const ms of due) assert.equal((ms - Date.parse(schedule.next)) % 1_000, 0);
      const missed = due.filter((ms) => ms > last && ms <= last + 2_000);
      assert.deepEqual(missed, []);
      assert.ok(part.said.some((text) => text.includes('what was due in between is one firing')));
    },
  );

  itInDeep(
    'I1 a broker that ends between storing a firing and removing its schedule does not store it again',
    async () => {
      await using home = await emptyLog();
      const { dir, nc, jsm } = home;
      // What cannot be removed stays as it does when the broker is killed before it asks.
      let tried = 0;
      const stuck = {
        ...jsm,
        direct: jsm.direct,
        streams: {
          info: jsm.streams.info.bind(jsm.streams),
          add: jsm.streams.add.bind(jsm.streams),
          update: jsm.streams.update.bind(jsm.streams),
          purge: () => {
            tried += 1;
            return Promise.reject(new Error('killed here'));
          },
        },
      } as unknown as JetStreamManager;
      let schedule: Schedule;
      {
        await using part = await start(nc, stuck, dir.path);
        schedule = await add(part.schedules, soon(300));
        await inLog(nc, schedule, 1);
        await waitFor('the broker to try it again', () => tried > 1);
      }
      assert.equal(await leftOf(jsm), 1);
      // With the index that the first left, and with none.
      for (const path of [dir.path, join(dir.path, 'another')]) {
        const before = tried;
        await using _ = await start(nc, path === dir.path ? stuck : jsm, path);
        await waitFor('the schedule to be removed', async () => tried > before || (await leftOf(jsm)) === 0);
      }
      await waitFor('the schedule to be gone', async () => (await leftOf(jsm)) === 0);
      assert.equal((await sentBy(nc, schedule)).length, 1);
    },
  );

  it('I1 a schedule outlives kill -9 of the server before it is due, and one that was cancelled does not come back', async () => {
    await using home = await emptyLog();
    const { dir, nc, jsm, server } = home;
    await using part = await start(nc, jsm, dir.path);
    const { schedules } = part;
    const kept = await add(schedules, soon(2_000));
    const cancelled = await add(schedules, soon(2_000));
    success(await schedules.cancel(cancelled.id)());
    await server.restart('SIGKILL');
    await inLog(nc, kept, 1);
    // Fired a moment later than the one that was kept, it would be here.
    const after = await add(schedules, soon(300));
    await inLog(nc, after, 1);
    assert.deepEqual(await sentBy(nc, cancelled), []);
    await waitFor('all to be gone', async () => (await leftOf(jsm)) === 0);
    // The broker hears of it a moment after the server has removed it.
    await waitFor('the list to be empty', async () => (await listOf(schedules)).length === 0);
    assert.equal(failure(await schedules.cancel(kept.id)()).code, 'SCHEDULE_UNKNOWN');
  });

  it('I8 what is due waits, aloud, while the log is full', async () => {
    await using home = await emptyLog(50_000);
    const { dir, nc, jsm } = home;
    await using part = await start(nc, jsm, dir.path);
    for (;;) {
      const ack = (await nc.request('evt.accounts.deposited', 'x'.repeat(200), { timeout: 5_000 })).json<{
        error?: { err_code: number };
      }>();
      if (ack.error?.err_code === 10077) break;
    }
    const schedule = await add(part.schedules, soon(300));
    await waitFor('the broker to say so', () => part.said.some((text) => text.includes('LOG_FULL')));
    assert.equal(await leftOf(jsm), 1);
    await jsm.streams.update(LOG, { max_bytes: 1_000_000 });
    assert.equal((await inLog(nc, schedule, 1)).length, 1);
    await waitFor('the schedule to leave its stream', async () => (await leftOf(jsm)) === 0);
    assert.equal((await sentBy(nc, schedule)).length, 1);
  });

  itInDeep(
    'I7 whatever an old log says of a schedule in forged headers, it is listed, shown, and fires when it is due',
    async () => {
      await using home = await emptyLog();
      const { dir, nc, jsm } = home;
      const timings: readonly Timing[] = [
        { kind: 'every', everyMs: 2_000 },
        { kind: 'cron', expression: '*/2 * * * * *' },
        { kind: 'at', atMs: Date.now() + 6_000 },
      ];
      const made: Schedule[] = [];
      {
        await using part = await start(nc, jsm, dir.path);
        for (const timing of timings) made.push(await add(part.schedules, timing, 'guest'));
      }
      const next = fc.oneof(
        fc.constantFrom(
          undefined,
          '',
          '9999-12-31T23:59:59Z',
          '2030-02-30T00:00:00Z',
          '0000-01-01T00:00:00Z',
        ),
        fc.constantFrom('Infinity', 'NaN', '1', 'constructor', '2999-01-01T00:00:00Z'),
        fc.date({ min: new Date(0), noInvalidDate: true }).map((date) => date.toISOString()),
      );
      // An id of the scheduler itself is the worst: no sender could write it since people’s headers are listed.
      const id = fc.constantFrom(undefined, 'gateway.1.1', 'x.1.1', 'scheduler', 'scheduler.1');
      const forged = fc.record({ next, id, which: fc.nat(2), sender: fc.constantFrom('guest', 'operator') });
      for (const { next, id, which, sender } of fc.sample(forged, 100)) {
        const all = headers();
        all.set(HEADER.schedule, made[which]?.id ?? '');
        if (next !== undefined) all.set(HEADER.next, next);
        if (id !== undefined) all.set(HEADER.id, id);
        const subject = `cmd.accounts.deposit.alice.${sender}`;
        await nc.request(subject, '{"amount":5}', { headers: all, timeout: 5_000 });
      }
      const isSent = (message: StoredMessage): boolean =>
        /^scheduler\.\d+\.\d+$/.test(message.header(HEADER.id) ?? '');
      await using part = await start(nc, jsm, join(dir.path, 'again'));
      const listed = await listOf(part.schedules);
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), made.map(({ id }) => id).toSorted());
      for (const schedule of made) {
        assert.ok(!Number.isNaN(Date.parse(success(await part.schedules.show(schedule.id)()).next)));
        const count = schedule.at === null ? 2 : 1;
        await waitFor(
          `${count} commands of ${schedule.cron ?? schedule.at ?? 'a period'}`,
          async () => {
            const sent = (await sentBy(nc, schedule)).filter(isSent);
            return sent.length >= count;
          },
          20_000,
        );
      }
    },
  );

  itInDeep(
    'I7 a recurring schedule whose next time in the log cannot be true goes by its own expression',
    async () => {
      await using home = await emptyLog();
      const { dir, nc, jsm } = home;
      const schedule = await addOnce(home, { kind: 'cron', expression: '*/2 * * * * *' }, 'guest');
      for (const next of ['2999-01-01T00:00:00Z', undefined]) {
        const all = headers();
        all.set(HEADER.schedule, schedule.id);
        all.set(HEADER.id, 'scheduler.1.1');
        if (next !== undefined) all.set(HEADER.next, next);
        await nc.request('cmd.accounts.deposit.alice.guest', '{"amount":5}', {
          headers: all,
          timeout: 5_000,
        });
      }
      await using part = await start(nc, jsm, dir.path);
      const { next } = success(await part.schedules.show(schedule.id)());
      assert.ok(Date.parse(next) < Date.now() + 10_000, next);
      await inLog(nc, schedule, 4);
    },
  );

  it('I8 above the limit a schedule is refused, and those that are there stay', async () => {
    await using home = await emptyLog();
    const { dir, nc, jsm } = home;
    await using part = await start(nc, jsm, dir.path, { maxSchedules: 3 });
    const { schedules } = part;
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

  itInDeep(
    'I1 schedules that an earlier version left to the server go on under their ids, each firing once',
    async () => {
      await using home = await emptyLog();
      const { dir, nc, jsm } = home;
      // As the earlier version made it.
      await jsm.streams.add({
        name: SCHED,
        subjects: ['sched.*', 'fired.*'],
        max_msgs_per_subject: 16,
        allow_direct: true,
        allow_msg_schedules: true,
        republish: { src: 'fired.>', dest: 'firing.fired.>' },
      } as unknown as Partial<StreamConfig> & { name: string });
      const put = async (id: string, pattern: string, zone?: string): Promise<void> => {
        const all = headers();
        all.set(HEADER.schedule, id);
        all.set('Tally-Command', 'cmd.accounts.deposit.alice.guest');
        all.set('Nats-Schedule', pattern);
        all.set('Nats-Schedule-Target', `fired.${id}`);
        if (zone !== undefined) all.set('Nats-Schedule-Time-Zone', zone);
        const ack = await nc.request(`sched.${id}`, `{"amount":5}`, { headers: all, timeout: 5_000 });
        assert.equal(ack.json<{ error?: unknown }>().error, undefined);
      };
      await put('often', '@every 1s');
      await put('fired', `@at ${new Date(Date.now() + 500).toISOString()}`);
      await put('later', `@at ${new Date(Date.now() + 4_000).toISOString()}`);
      await put('monthly', '0 0 0 1 * *', 'Africa/Cairo');
      await put('minutely', '@every 60s');
      const fired = { subjects_filter: 'fired.fired' };
      await waitFor(
        'the server to fire',
        async () => (await jsm.streams.info(SCHED, fired)).state.subjects?.['fired.fired'],
      );
      await using part = await start(nc, jsm, dir.path);
      const of = (id: string) => ({ id }) as Schedule;
      await Promise.all([inLog(nc, of('often'), 3), inLog(nc, of('fired'), 1), inLog(nc, of('later'), 1)]);
      const listed = await waitFor('what has ended to leave', async () => {
        const { schedules } = success(await part.schedules.list(1)());
        return schedules.some(({ id }) => id === 'later') ? undefined : schedules;
      });
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), ['minutely', 'monthly', 'often']);
      assert.equal(listed.find(({ id }) => id === 'monthly')?.timezone, 'Africa/Cairo');
      const due = nexts(await sentBy(nc, of('often')));
      assert.equal(new Set(due.map((text) => Date.parse(text ?? ''))).size, due.length, due.join(' '));
      assert.equal((await sentBy(nc, of('fired'))).length, 1);
      assert.equal((await sentBy(nc, of('later'))).length, 1);
      const { state } = await jsm.streams.info(SCHED, { subjects_filter: '>' });
      assert.deepEqual(Object.keys(state.subjects ?? {}).toSorted(), [
        'later.minutely',
        'later.monthly',
        'later.often',
      ]);
      assert.ok(part.said.some((text) => text.includes('schedules of an earlier version are taken over')));
    },
  );

  it('lists and shows all other schedules when a message is none', async () => {
    await using home = await emptyLog();
    const { dir, nc, jsm } = home;
    const schedule = await addOnce(home, { kind: 'every', everyMs: 3_600_000 });
    const value = fc.oneof(
      fc.constantFrom(
        '@at never',
        '@at 2030-02-30T00:00:00Z',
        '@every 0s',
        '@every 999999999999s',
        '@every -1s',
        '0 0 0 31 2 *',
      ),
      fc.constantFrom(
        '* * * * * *',
        'Mars/Olympus',
        'cmd.a.b.c.d',
        'cmd.a',
        '9999-12-31T23:59:59Z',
        '\u00e4',
      ),
      fc.string().map((text) => text.replace(/[\r\n]/g, ' ')),
    );
    const names = ['Tally-Command', 'Tally-When', 'Tally-Timezone', 'Tally-Created', HEADER.schedule];
    const message = fc.dictionary(fc.constantFrom(...names), value);
    for (const [i, fields] of fc.sample(message, 100).entries()) {
      const all = headers();
      for (const [name, text] of Object.entries(fields)) all.set(name, text);
      await nc.request(`later.strange-${i}`, 'x', { headers: all, timeout: 5_000 });
    }
    await using part = await start(nc, jsm, dir.path);
    const listed = await listOf(part.schedules);
    assert.ok(listed.some(({ id }) => id === schedule.id));
    for (const { id } of listed) success(await part.schedules.show(id)());
  });
});
