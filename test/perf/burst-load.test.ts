import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { DeliveryTimes } from '../../perf/burst/delivery.js';
import { parseFaultPlan } from '../../perf/burst/fault-plan.js';
import { Latencies } from '../../perf/burst/latencies.js';
import { LedgerWriter } from '../../perf/burst/ledger-writer.js';
import { Outage, SETTLED_MS } from '../../perf/burst/outage.js';
import { payloads } from '../../perf/burst/payloads.js';
import { BurstSchedule } from '../../perf/burst/burst-schedule.js';
import { counted, NONE } from '../../modules/burst/tally.js';
import { tempDir } from '../support/temp-dir.js';

describe('a schedule', () => {
  const rates = fc.record({
    baseline: fc.integer({ min: 1, max: 5_000 }),
    rate: fc.integer({ min: 1, max: 200_000 }),
    seconds: fc.integer({ min: 1, max: 20 }),
    baselineSeconds: fc.integer({ min: 1, max: 5 }),
  });

  it('gives every record a time at which it is due, and not before', () => {
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 1, noNaN: true }), (each, where) => {
        const schedule = new BurstSchedule(each);
        const index = Math.floor(where * (schedule.total - 1));
        const at = schedule.dueMs(index);
        assert.ok(schedule.due(at + 1e-6) > index);
        assert.ok(schedule.due(at - 1e-3) <= index);
      }),
    );
  });

  it('has as many records as its rates and times say, and shares them out', () => {
    const each = { baseline: 1_000, rate: 100_000, seconds: 10, baselineSeconds: 3 };
    const whole = new BurstSchedule(each);
    assert.equal(whole.total, 1_006_000);
    assert.equal(whole.due(1e9), whole.total);
    assert.equal(whole.due(-1), 0);
    assert.equal(new BurstSchedule(each, 1 / 4).total * 4, whole.total);
    assert.deepEqual(
      [0, 2_999, 3_000, 1_002_999, 1_003_000].map((i) => whole.phaseOf(i)),
      [...['baseline', 'baseline', 'burst', 'burst', 'after']],
    );
  });
});

describe('latencies', () => {
  it('give every quantile to 2 %, over processes too', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0.01, 0.5, 0.99, 1),
        (values, share) => {
          const [one, other] = [new Latencies(), new Latencies()];
          for (const [i, value] of values.entries()) (i % 2 === 0 ? one : other).add(value);
          one.merge(other.take());
          assert.equal(other.count, 0);
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.max(0, Math.ceil(values.length * share) - 1)] as number;
          const told = one.quantile(share) ?? assert.fail('nothing was counted');
          assert.ok(Math.abs(told - exact) <= exact * 0.02 + 0.001, `${told} for ${exact}`);
          assert.equal(one.max, sorted.at(-1));
        },
      ),
    );
  });

  it('are null of none', () => assert.equal(new Latencies().quantile(0.99), null));
});

test('a sample is delivered when delivery had come so far, also where it is told later', () => {
  const told: (readonly [number, number])[] = [];
  const delivery = new DeliveryTimes((dueAt, latencyMs) => told.push([dueAt, latencyMs]));
  delivery.follow([[10, 100]]);
  delivery.reached(5, 150);
  assert.deepEqual(told, []);
  delivery.reached(12, 170);
  delivery.reached(20, 200);
  // Snapshots that begin anew.
  delivery.reached(3, 250);
  assert.equal(delivery.seq, 20);
  delivery.follow([
    [11, 110],
    [13, 120],
  ]);
  assert.deepEqual(told, [
    [100, 70],
    [110, 60],
    [120, 80],
  ]);
});

test('a plan of kills is read, and what is none is refused by its part', () => {
  const plan = parseFaultPlan('server@6, module@3.5');
  assert(isRight(plan));
  assert.deepEqual(plan.right, [
    { what: 'module', atSeconds: 3.5 },
    { what: 'server', atSeconds: 6 },
  ]);
  for (const bad of ['', 'module', 'module@', 'disk@3', 'module@-1', 'module@3,,server@6', 'module@1e3']) {
    const refused = parseFaultPlan(bad);
    assert(isLeft(refused), bad);
    assert.equal(refused.left.code, 'USAGE');
  }
});

test('a payload has the size that was asked for, and the numbers', () => {
  const payload = payloads(1, 256);
  for (const n of [0, 9, 10, 99_999, 1_000_000]) {
    const bytes = payload(n);
    assert.equal(bytes.length, 256);
    const { pad, ...rest } = JSON.parse(new TextDecoder().decode(bytes)) as { pad: string };
    assert.deepEqual(rest, { p: 1, n });
    assert.ok(pad.length > 0);
  }
  assert.equal(new TextDecoder().decode(payloads(0, 1)(7)), '{"p":0,"n":7}');
});

test('a ledger is what was told, a line each', async () => {
  await using dir = tempDir();
  const path = join(dir.path, 'ledger.ndjson');
  const ledger = new LedgerWriter(path);
  ledger.add('evt.burst.counted.a1', 17);
  ledger.flush();
  ledger.add('evt.burst.counted.a2', 18);
  ledger.close();
  assert.deepEqual(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { seq: 17, subject: 'evt.burst.counted.a1' },
      { seq: 18, subject: 'evt.burst.counted.a2' },
    ],
  );
});

test('a tally sees what comes twice or behind a later one of its producer, and only that', () => {
  const told: readonly (readonly [number, number])[] = [
    [0, 1],
    [2, 1],
    [0, 4],
    [2, 2],
  ];
  const sound = told.reduce((tally, [p, n]) => counted(tally, p, n), NONE);
  assert.deepEqual(sound, { count: 4, late: 0, last: [4, -1, 2] });
  assert.equal(counted(sound, 0, 4).late, 1);
  assert.equal(counted(sound, 2, 1).late, 1);
});

describe('an outage', () => {
  const EVERY_MS = 250;

  it('lasts until another process delivers, whatever of the killed one is seen meanwhile', () => {
    const times = fc.record({
      killedAt: fc.integer({ min: 0, max: 10_000 }),
      downMs: fc.integer({ min: 600, max: 8_000 }),
      staleMs: fc.integer({ min: 0, max: SETTLED_MS }),
      spawnedMs: fc.integer({ min: 20, max: 8_000 }),
      firstLook: fc.integer({ min: 0, max: EVERY_MS }),
    });
    fc.assert(
      fc.property(times, ({ killedAt, downMs, staleMs, spawnedMs, firstLook }) => {
        const outage = new Outage(killedAt, 7);
        for (let at = firstLook; at < killedAt + downMs + 3 * EVERY_MS; at += EVERY_MS) {
          const since = at - killedAt;
          const progress = Math.min(at, killedAt + staleMs) + Math.max(0, since - downMs);
          outage.look(at, progress, since < Math.min(spawnedMs, downMs) ? 7 : 8);
          if (since < downMs) assert.equal(outage.downMs, null);
        }
        assert.ok(outage.downMs !== null && outage.downMs >= downMs, `${outage.downMs}`);
        assert.ok((outage.downMs ?? 0) <= downMs + 2 * EVERY_MS, `${outage.downMs}`);
      }),
    );
  });
});
