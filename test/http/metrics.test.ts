import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BrokerMetrics, type Observed } from '../../http/metrics/broker-metrics.js';
import { CALL_BUCKETS_MS } from '../../schemas/call-latency.js';
import { TIME_BUCKETS_MS } from '../../schemas/command-times.js';
import type { BrokerStatus, ModuleStats, ModuleStatus } from '../../schemas/operate.js';
import { byForm } from '../support/form.js';

const RUNS = byForm({ short: 60, deep: 3_000 });

const count = fc.nat({ max: 3 });
const counts = (ends: readonly number[]) =>
  fc.array(count, { minLength: ends.length + 1, maxLength: ends.length + 1 });
const times = fc.record({ counts: counts(TIME_BUCKETS_MS), sumMs: count });

const statsOf = (name: string): fc.Arbitrary<ModuleStats> =>
  fc.record(
    {
      name: fc.constant(name),
      handled: count,
      pending: count,
      agents: count,
      unsaved: count,
      times: fc.record({ routing: times, processing: times, whole: times }),
      actions: fc.subarray(['open', 'close']).chain((actions) =>
        fc.tuple(
          ...actions.map((action) =>
            fc.record({
              action: fc.constant(action),
              commands: count,
              calls: count,
              errors: count,
              meanMs: count,
              waits: counts(CALL_BUCKETS_MS),
            }),
          ),
        ),
      ),
    },
    { requiredKeys: ['name', 'handled', 'pending', 'agents', 'actions'] },
  );

const moduleOf = (name: string): fc.Arbitrary<ModuleStatus> =>
  fc.record(
    {
      name: fc.constant(name),
      version: fc.constant('1.0.0'),
      state: fc.constantFrom('loaded', 'crashed'),
      pid: fc.constant(null),
      restarts: count,
      lag: count,
      eventsWaiting: count,
      cpuPercent: fc.option(count),
      rssBytes: fc.option(count),
      reason: fc.constant(null),
    },
    {
      requiredKeys: [
        'name',
        'version',
        'state',
        'pid',
        'restarts',
        'lag',
        'cpuPercent',
        'rssBytes',
        'reason',
      ],
    },
  );

const observed: fc.Arbitrary<Observed> = fc.subarray(['orders', 'stock', 'notes']).chain((names) =>
  fc.record({
    stats: fc.tuple(...names.map(statsOf)),
    status: fc.record({
      pid: fc.constant(1),
      agents: count,
      conversationsOpen: count,
      requestsWaiting: fc.constant({}),
      losses: fc.constant([]),
      log: fc.record({
        records: count,
        bytes: count,
        maxBytes: count,
        reserveBytes: count,
        refusal: fc.option(fc.constant('full')),
        firstSeq: count,
        lastSeq: count,
      }),
      modules: fc.tuple(...names.map(moduleOf)),
      subscriptions: fc
        .subarray(['books', 'say "it"\\\n'])
        .chain((all) =>
          fc.tuple(
            ...all.map((name) =>
              fc.record({ account: fc.constant('ann'), name: fc.constant(name), lag: fc.option(count) }),
            ),
          ),
        ),
      counters: fc.record({
        refused: fc.dictionary(fc.constantFrom('OVERLOADED', 'NOT_ALLOWED'), count),
        dead: fc.dictionary(
          fc.constantFrom('orders', 'gone'),
          fc.dictionary(fc.constantFrom('HANDLER_THREW', 'OTHER'), count),
        ),
        journal: fc.record({
          pending: count,
          inFlight: count,
          bytes: count,
          fence: count,
          groups: count,
          grouped: count,
        }),
        indexLag: count,
        schedulesLate: count,
        network: fc.option(fc.record({ inBytes: count, outBytes: count, connections: count })),
      }),
    }) as unknown as fc.Arbitrary<BrokerStatus>,
    processes: fc.dictionary(
      fc.constantFrom('broker', 'server', 'http'),
      fc.record({ rssBytes: count, cpuMs: count, cpuPercent: count }),
    ),
  }),
);

const TIME = /^tallystick_time_seconds .*$/m;
/** In their order, less the clock: a scrape names metrics in the order in which it first had them. */
const linesOf = (text: string): readonly string[] =>
  text.replace(TIME, '').split('\n').filter(Boolean).sort();
const namesIn = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''));
const valuesIn = (text: string): readonly string[] => linesOf(text).filter((line) => !line.startsWith('#'));

describe('the text of a scrape', () => {
  test('has what a first scrape has, whatever was scraped before', () => {
    fc.assert(
      fc.property(fc.array(observed, { minLength: 1, maxLength: 6 }), (all) => {
        const metrics = new BrokerMetrics();
        let before: ReadonlySet<string> = new Set();
        for (const each of all) {
          const text = metrics.text(each);
          assert.deepEqual(valuesIn(text), valuesIn(new BrokerMetrics().text(each)));
          const names = namesIn(text);
          for (const name of before) assert.ok(names.has(name), `${name} is gone`);
          before = names;
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('has buckets that grow, a line for each value, and labels without a bare quote', () => {
    fc.assert(
      fc.property(observed, (each) => {
        const text = new BrokerMetrics().text(each);
        for (const line of valuesIn(text))
          assert.match(line, /^tallystick_[a-z_]+(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? [0-9.e+-]+$/);
        for (const { name, actions } of each.stats)
          for (const { action, waits = [], calls } of actions) {
            const of = (le: string): number =>
              Number(
                new RegExp(
                  `^tallystick_call_seconds_bucket\\{le="${le.replaceAll(/[.+]/g, '\\$&')}",module="${name}",action="${action}"\\} (.*)$`,
                  'm',
                ).exec(text)?.[1],
              );
            let below = 0;
            CALL_BUCKETS_MS.forEach((ms, place) => {
              below += waits[place] ?? 0;
              assert.equal(of(`${ms / 1_000}`), below);
            });
            assert.equal(of('+Inf'), calls);
          }
      }),
      { numRuns: RUNS },
    );
  });
});
