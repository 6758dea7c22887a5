import assert from 'node:assert/strict';
import { connect as dial, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect } from 'nats';
import { ConnectionChurn, MOST_CONNECTS } from '../../../broker/serving/connection-churn.js';
import { churners } from '../../../broker/serving/subscription-churn.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { byForm } from '../../support/form.js';
import { waitFor } from '../../support/wait-for.js';

let broker: TestBroker;
before(async () => {
  broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
});
after(async () => broker?.[Symbol.asyncDispose]());

/** Ways to make subscriptions and end them. */
const CHURNS = byForm({
  short: ['SUB _INBOX.a 1\r\nUNSUB 1\r\n', 'SUB secret 1\r\n'],
  deep: [
    'SUB _INBOX.a 1\r\nUNSUB 1\r\n',
    'SUB secret 1\r\n',
    'SUB live.> 7\r\nUNSUB 7\r\n',
    'SUB _INBOX.a q 1\r\nSUB _INBOX.b 2\r\nUNSUB 2\r\nUNSUB 1\r\nPING\r\n',
    'PUB secret 0\r\n\r\n',
  ],
});

/** A guest that writes these lines as fast as the server reads them, until the server closes its connection. */
const churn = (url: string, lines: string): { readonly ended: Promise<void>; readonly socket: Socket } => {
  const { hostname, port } = new URL(url);
  const socket = dial(Number(port), hostname);
  const chunk = lines.repeat(2_000);
  const on = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.once('connect', () => socket.write('CONNECT {"verbose":false}\r\n'));
  socket.on('connect', on).on('drain', on);
  socket.resume();
  socket.on('error', () => undefined);
  return { socket, ended: new Promise((resolve) => socket.once('close', () => resolve())) };
};

const cutsOf = async (what: string): Promise<number> => {
  const { stdout } = await tallystick(
    ['audit', 'list', '--principal', 'guest', '--kind', 'refused.OVERLOADED', '--json'],
    { dataDir: broker.dataDir },
  );
  return stdout.split('\n').filter((line) => line.includes(what)).length;
};

describe('subscriptions and connections that come and go', () => {
  for (const lines of CHURNS)
    it(`a guest that subscribes and ends it without a pause is cut off, and others are not: ${JSON.stringify(lines)}`, async () => {
      const other = await connect({ servers: broker.url, reconnect: false });
      const quiet = await connect({ servers: broker.url, reconnect: false });
      const { ended, socket } = churn(broker.url, lines);
      let isOver = false;
      void ended.then(() => {
        isOver = true;
      });
      try {
        await waitFor('the cut', async () => {
          await other.request('call.accounts.balance.ann', '', { timeout: 30_000 });
          return isOver;
        });
        assert.deepEqual([other.isClosed(), quiet.isClosed()], [false, false]);
        await waitFor(
          'the audit',
          async () => (await cutsOf(/secret/.test(lines) ? 'the server refused' : '5000 subscriptions')) > 0,
        );
      } finally {
        socket.destroy();
        await Promise.all([other.close(), quiet.close()]);
      }
    });

  it('an account may connect 1,000 times at once, and 100 times a second; each connection above is closed', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom('guest', '_ci', '_kiosk'),
            fc.integer({ min: 1, max: 900 }),
            fc.nat(8_000),
          ),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        (bursts) => {
          let now = 0;
          const levels = new Map<string, number>();
          const cut: string[] = [];
          const expected: string[] = [];
          const watch = new ConnectionChurn({
            now: () => now,
            cut: (account, id) => cut.push(`${account} ${id}`),
          });
          let id = 0;
          for (const [account, count, pauseMs] of bursts) {
            for (let i = 0; i < count; i += 1) {
              id += 1;
              watch.opened(account, id);
              const level = (levels.get(account) ?? 0) + 1;
              levels.set(account, level);
              if (level > MOST_CONNECTS.most) expected.push(`${account} ${id}`);
            }
            now += pauseMs;
            for (const [name, level] of levels)
              levels.set(name, Math.max(0, level - (pauseMs * MOST_CONNECTS.perSecond) / 1_000));
          }
          // Two sums of the same fractions may differ in their last digit.
          const differ = new Set(
            [...cut, ...expected].filter((each) => cut.includes(each) !== expected.includes(each)),
          );
          assert.ok(differ.size <= bursts.length, [...differ].join(', '));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of several connections of an account, those are taken that were always active and sent the fewest messages', () => {
    const connection = fc.array(fc.record({ grows: fc.nat(5), isActive: fc.boolean() }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(connection, { maxLength: 12 }), (all) => {
        const at = (samples: number) =>
          all.map((steps, cid) => {
            const active = steps.slice(0, samples).filter(({ isActive }) => isActive);
            return {
              cid,
              sent: active.reduce((sum, { grows }) => sum + grows, 0),
              lastActivity: `${active.length}`,
            };
          });
        const sums = all.map((steps) =>
          steps.every(({ isActive }) => isActive)
            ? steps.reduce((sum, { grows }) => sum + grows, 0)
            : undefined,
        );
        const fewest = Math.min(...sums.filter((sum) => sum !== undefined));
        const expected = sums.flatMap((sum, cid) => (sum === fewest ? [cid] : []));
        assert.deepEqual(churners([at(0), at(1), at(2), at(3)]), expected);
      }),
      { numRuns: 200 },
    );
  });
});
