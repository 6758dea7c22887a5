import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { readLog } from '../../../journal/read/reader.js';
import { HEADER } from '../../../schemas/headers.js';
import { OPS } from '../../../schemas/operate.js';
import type { Schedule } from '../../../schemas/schedule.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { IN_FULL, byForm } from '../../support/form.js';
import { connectOperator } from '../../support/log-checks.js';
import { Seeded } from '../../support/seeded.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { type Fits, firingsByTheClock } from './cron-by-the-clock.js';
import { PATIENT } from '../../support/patient.js';

const FIXTURE = join(import.meta.dirname, '..', '..', 'fixtures', 'shifted-clock.js');
const SEED = Number(process.env.CRON_SEED ?? Math.floor(Math.random() * 2 ** 32));

interface Case {
  readonly cron: string;
  readonly zone: string;
  readonly from: string;
  readonly fits: Fits;
}

const at = (minute: number, hour: number, dates: readonly number[] = []): Fits => ({
  minutes: [minute],
  hours: [hour],
  dates,
  months: [],
  weekdays: [],
});

/** In the order of time: the clock only goes forward. The server alone left out the first firing of some of them. */
const CASES: readonly Case[] = [
  { cron: '0 0 * * *', zone: 'Asia/Beirut', from: '2027-03-26T12:00:00Z', fits: at(0, 0) },
  { cron: '30 2 * * *', zone: 'Europe/Berlin', from: '2027-03-27T12:00:00Z', fits: at(30, 2) },
  { cron: '0 0 1 * *', zone: 'Africa/Cairo', from: '2027-04-28T12:00:00Z', fits: at(0, 0, [1]) },
  { cron: '0 0 9 31 * *', zone: 'America/Santiago', from: '2027-09-05T12:00:00Z', fits: at(0, 9, [31]) },
  { cron: '45 1 * * *', zone: 'Australia/Lord_Howe', from: '2028-04-01T12:00:00Z', fits: at(45, 1) },
  { cron: '0 12 29 * *', zone: 'UTC', from: '2029-01-30T12:00:00Z', fits: at(0, 12, [29]) },
];
const FIRINGS = byForm({ short: 2, deep: 3, full: 6 });

describe('a schedule in a zone whose clock changes', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let operator: NatsConnection;
  const zoneBefore = process.env.TZ;

  const setClock = (ms: number): void => writeFileSync(join(dir.path, 'clock'), String(ms - Date.now()));

  before(async () => {
    dir = tempDir();
    setClock(Date.now());
    const url = `${pathToFileURL(FIXTURE).href}?file=${join(dir.path, 'clock')}`;
    broker = await startBroker({ shipped: ['accounts'], env: { NODE_OPTIONS: `--import ${url}` } });
    operator = await connectOperator(broker.dataDir);
  });

  after(async () => {
    if (zoneBefore === undefined) delete process.env.TZ;
    else process.env.TZ = zoneBefore;
    await operator?.close();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const schedule = async ({ cron, zone, from }: Case): Promise<Schedule> => {
    const headers = makeHeaders();
    headers.set('Tally-Cron', cron);
    headers.set('Tally-Timezone', zone);
    // Asked until the broker has seen that its clock was set.
    return waitFor(`a schedule at ${from}`, async () => {
      const reply = await operator.request('schedule.accounts.deposit.alice', `{"amount":1}`, {
        headers,
        timeout: 5_000,
      });
      const { data } = reply.json<{ data?: Schedule }>();
      if (data !== undefined && Math.abs(Date.parse(data.created) - Date.parse(from)) < 60_000) return data;
      if (data !== undefined)
        await operator.request(OPS.scheduleCancel, JSON.stringify({ id: data.id }), PATIENT);
      return undefined;
    });
  };

  const nextOf = async (id: string): Promise<string> =>
    (await operator.request(OPS.scheduleShow, JSON.stringify({ id }), PATIENT)).json<Schedule>().next;

  const sentBy = async (id: string): Promise<readonly StoredMessage[]> => {
    const found: StoredMessage[] = [];
    for await (const message of readLog(operator, { filters: ['cmd.>'] }))
      if (message.header(HEADER.schedule) === id) found.push(message);
    return found;
  };

  const random = new Seeded(SEED);
  const first = random.int(0, CASES.length - 2);
  const cases = IN_FULL ? CASES : CASES.slice(first, first + byForm({ short: 2, deep: 4 }));
  for (const each of cases) {
    it(`fires at what was printed as its next time, ${each.cron} in ${each.zone}`, async (t) => {
      const fromMs = Date.parse(each.from);
      setClock(fromMs);
      const { id, next } = await schedule(each);
      const walk = {
        zone: each.zone,
        fromMs,
        toMs: fromMs + (IN_FULL ? 1_200 : 400) * 86_400_000,
        stepMinutes: 15,
      };
      const [expected = []] = firingsByTheClock(walk, [each.fits]);
      let printed = next;
      for (let i = 0; i < FIRINGS; i++) {
        const dueMs = Date.parse(printed);
        assert.equal(printed, new Date(expected[i] ?? 0).toISOString());
        assert.equal((await sentBy(id)).length, i);
        setClock(dueMs - 500);
        const sent = await waitFor(`the firing at ${printed}`, async () => {
          const all = await sentBy(id);
          return all.length > i ? all : undefined;
        });
        printed = await waitFor('the next time', async () => {
          const said = await nextOf(id);
          return said === printed ? undefined : said;
        });
        assert.equal(sent.length, i + 1);
        assert.equal(sent.at(-1)?.header(HEADER.next), printed);
      }
      assert.ok(!broker.stderr.some((line) => line.includes(`${id} was due at`)));
      await operator.request(OPS.scheduleCancel, JSON.stringify({ id }), PATIENT);
      t.diagnostic(`${FIRINGS} firings, CRON_SEED=${SEED}`);
    });
  }
});
