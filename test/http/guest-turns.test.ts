import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type GuestEnd, GuestTurns } from '../../http/requests/guest-turns.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { type HttpSaid, httpAt } from './http-requests.js';

const RUNS = byForm({ short: 30, deep: 2_000 });
/** Above it the broker cuts off a connection that it also finds in an account above its limit. */
const CUT = {
  wrong: { most: 1_000, perSecond: 200 },
  notNow: { most: 10_000, perSecond: 1_000 },
} as const;

interface GuestStep {
  readonly address: string;
  readonly path: string;
  readonly requests: number;
  readonly how: GuestEnd;
  readonly pauseMs: number;
}

const step: fc.Arbitrary<GuestStep> = fc.record({
  address: fc.constantFrom('127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'),
  path: fc.constantFrom('a', 'b', 'c'),
  requests: fc.integer({ min: 1, max: 2_000 }),
  how: fc.constantFrom<GuestEnd>('served', 'wrong', 'wrong', 'notNow'),
  pauseMs: fc.integer({ min: 0, max: 3_000 }),
});

describe('turns of guests over HTTP', () => {
  test('whatever guests send, the broker sees fewer refusals than it cuts off', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        let now = 0;
        const turns = new GuestTurns(() => now);
        const seen = { wrong: 0, notNow: 0 };
        for (const { address, path, requests, how, pauseMs } of steps) {
          let begun = 0;
          for (let i = 0; i < requests; i += 1) if (turns.begin(address, path) === undefined) begun += 1;
          for (let i = 0; i < begun; i += 1) turns.end(address, path, how);
          if (how !== 'served') seen[how] += begun;
          assert.ok(seen.wrong < CUT.wrong.most && seen.notNow < CUT.notNow.most, JSON.stringify(seen));
          now += pauseMs;
          for (const kind of ['wrong', 'notNow'] as const)
            seen[kind] = Math.max(0, seen[kind] - (pauseMs * CUT[kind].perSecond) / 1_000);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('an address that sends wrong names takes no turn from paths that are served', () => {
    const turns = new GuestTurns(() => 0);
    assert.equal(turns.begin('127.0.0.1', 'good'), undefined);
    turns.end('127.0.0.1', 'good', 'served');
    const refused = Array.from({ length: 1_000 }, (_, i) => {
      const why = turns.begin('127.0.0.1', `bad ${i}`);
      if (why === undefined) turns.end('127.0.0.1', `bad ${i}`, 'wrong');
      return why;
    }).find((why) => why !== undefined);
    assert.deepEqual([refused?.code, refused?.retryAfterMs], ['OVERLOADED', 1_000]);
    assert.equal(turns.begin('127.0.0.1', 'good'), undefined);
  });
});

describe('a guest that sends wrong requests over HTTP', () => {
  let broker: TestBroker;
  before(async () => {
    broker = await startBroker({ http: true, shipped: ['accounts'], args: ['--durability', 'os'] });
  });
  after(async () => broker?.[Symbol.asyncDispose]());

  test('is told to wait, and the calls of others are served', async () => {
    const http = httpAt(broker.ready.http ?? '');
    const call = (): Promise<HttpSaid> => http.post('/v1/calls/accounts/deposit/alice', '{"amount":1}');
    assert.equal((await call()).status, 200);
    const refused: HttpSaid[] = [];
    // What is refused is forgotten with time: on a busy machine it takes more of them.
    const isRefused = (): boolean => refused.some(({ status }) => status === 429);
    for (let wave = 0; wave < 3 || (wave < 12 && !isRefused()); wave += 1) {
      const wrong = (i: number): Promise<HttpSaid> => http.post(`/v1/calls/nobody/act${wave}-${i}/a`, '{}');
      const lots = Array.from({ length: 150 }, (_, i) => wrong(i));
      const others = Array.from({ length: 10 }, call);
      refused.push(...(await Promise.all(lots)));
      for (const { status, body } of await Promise.all(others))
        assert.equal(status, 200, JSON.stringify(body));
    }
    assert.deepEqual([...new Set(refused.map(({ status }) => status))].sort(), [404, 429]);
    for (const { status, headers, body } of refused)
      if (status === 429) assert.deepEqual([headers.get('retry-after'), body.code], ['1', 'OVERLOADED']);
  });
});
