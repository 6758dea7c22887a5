import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, createInbox, type NatsConnection } from 'nats';
import { newUserKey } from '../../../link/nkey.js';
import { SERVED } from '../../../broker/serving/served.js';
import { ACCESS } from '../../../schemas/access-requests.js';
import { HEADER } from '../../../schemas/headers.js';
import { OPS } from '../../../schemas/operate.js';
import { PRODUCER } from '../../../schemas/producer-requests.js';
import { SCHEDULE_HEADER } from '../../../schemas/schedule.js';
import { byForm } from '../../support/form.js';
import { awkwardName, awkwardPayload, headerBlock, rawHeaders } from '../../support/awkward.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { connectWith } from '../access/attempts.js';
import { readLoot, writeMallory } from '../access/loot.js';

/** A broker that is deaf is so for 15 s and more; one that is only slow answers long before. */
const NOT_DEAF_MS = 8_000;
/** Generated messages a subject. */
const RUNS = Number(process.env.SERVED_RUNS ?? byForm({ short: 20, deep: 50 }));

/** What stands in one token of a subject without changing the number of tokens, or the protocol's line. */
const token = (): fc.Arbitrary<string> =>
  awkwardName().map((text) => text.replace(/[^!-~]|[.*>]/g, '_').slice(0, 200) || '_');

const NAMES = [...Object.values(HEADER), ...Object.values(SCHEDULE_HEADER)];
const KEYS = [
  'name',
  'id',
  'dir',
  'seq',
  'seqs',
  'commands',
  'from',
  'limit',
  'module',
  'withDependents',
  'again',
];
const PRODUCER_KEYS = ['name', 'instance', 'takeover', 'previous', 'epoch', 'fromSeq', 'toSeq', 'account'];
const ACCESS_KEYS = ['name', 'publicKey', 'allow', 'ttlMs', 'add', 'remove'];
const CONTROL_KEYS = ['snapshotSeq', 'logId', 'instance', 'previous', 'pid', 'handled', 'pending', 'agents'];
const CONSUMER_KEYS = ['stream_name', 'config', 'action'];

type Who = 'guest' | 'operator' | 'module' | 'trusted';

interface Target {
  readonly who: Who;
  /** Which row of the table of served subjects it is for; none: what the server stores and the broker reads. */
  readonly row?: keyof typeof SERVED;
  readonly subject: fc.Arbitrary<string>;
  readonly keys: readonly string[];
}

const with1 = (before: string, behind = ''): fc.Arbitrary<string> =>
  token().map((t) => `${before}${t}${behind}`);
const one = (...subjects: string[]): fc.Arbitrary<string> => fc.constantFrom(...subjects);

const people = (who: Who): readonly Target[] => [
  {
    who,
    row: 'calls',
    subject: fc.oneof(
      with1('call.accounts.deposit.'),
      with1('call.accounts.', '.x'),
      with1('call.', '.deposit.x'),
      one('call.accounts', 'call.a.b.c.d.e', 'call.accounts.deposit.x'),
    ),
    keys: ['amount'],
  },
  {
    who,
    row: 'schedules',
    subject: fc.oneof(
      one('schedule.accounts.deposit.x'),
      with1('schedule.accounts.', '.x'),
      with1('schedule.'),
    ),
    keys: ['amount'],
  },
  {
    who,
    row: 'producers',
    subject: fc.oneof(one(...Object.values(PRODUCER)), with1('producer.')),
    keys: PRODUCER_KEYS,
  },
  {
    who,
    row: 'results',
    // None of these is a command: the request for a result that is still to come has no reply.
    subject: fc.oneof(one('result.1', 'result.0', 'result.9007199254740991'), with1('result.')),
    keys: ['command'],
  },
  {
    who,
    row: 'cancels',
    subject: fc.oneof(one('cancel.1', 'cancel.0', 'cancel.9007199254740991'), with1('cancel.')),
    keys: ['command', 'children'],
  },
  {
    who,
    row: 'restarts',
    subject: fc.oneof(one('restart.1', 'restart.0', 'restart.9007199254740991'), with1('restart.')),
    keys: ['command', 'from'],
  },
  {
    who,
    row: 'signals',
    subject: fc.oneof(
      one('signal.accounts.paid.x', 'signal.nobody.paid.x', 'signal.accounts.paid'),
      with1('signal.accounts.', '.x'),
      with1('signal.accounts.paid.'),
      with1('signal.'),
    ),
    keys: ['amount'],
  },
  {
    who,
    row: 'promises',
    subject: fc.oneof(
      one(`promise.resolve.1-1-${'0f'.repeat(16)}`, 'promise.reject.1', 'promise.other.1'),
      with1('promise.resolve.'),
      with1('promise.', '.1'),
      with1('promise.'),
    ),
    keys: ['amount'],
  },
  {
    who,
    row: 'subscriptions',
    subject: fc.oneof(
      one('subscription.list', 'subscription.open.x', 'subscription.ack.x', 'subscription.delete.x'),
      with1('subscription.next.'),
      with1('subscription.', '.x'),
      with1('subscription.'),
    ),
    keys: ['events', 'agent', 'from', 'session', 'after', 'batch', 'seq', 'account'],
  },
  {
    who,
    row: 'states',
    subject: fc.oneof(
      one('state.accounts.x', 'state.accounts', 'state.nobody.x'),
      with1('state.accounts.'),
      with1('state.'),
    ),
    keys: ['amount'],
  },
  {
    who,
    row: 'discovery',
    subject: fc.oneof(
      one('$SRV.PING', '$SRV.INFO', '$SRV.STATS', '$SRV.INFO.accounts'),
      with1('$SRV.'),
      with1('$SRV.INFO.'),
    ),
    keys: ['name'],
  },
  {
    who,
    row: 'commands',
    subject: fc.oneof(
      one('cmd.accounts.deposit.x', 'cmd.nobody.acts', 'cmd.accounts.deposit'),
      with1('cmd.accounts.', '.x'),
      with1('cmd.'),
    ),
    keys: ['amount'],
  },
];

const TARGETS: readonly Target[] = [
  ...people('guest'),
  ...people('operator'),
  {
    who: 'operator',
    row: 'operations',
    subject: fc.oneof(
      { weight: 5, arbitrary: one(...Object.values(OPS)) },
      with1('ops.'),
      with1('ops.module.'),
    ),
    keys: KEYS,
  },
  {
    who: 'operator',
    row: 'access',
    subject: fc.oneof({ weight: 5, arbitrary: one(...Object.values(ACCESS)) }, with1('access.')),
    keys: ACCESS_KEYS,
  },
  {
    who: 'operator',
    row: 'consumers',
    subject: fc.oneof(with1('$JS.API.CONSUMER.CREATE.LOG.'), with1('$JS.API.CONSUMER.CREATE.')),
    keys: CONSUMER_KEYS,
  },
  {
    who: 'operator',
    row: 'pulls',
    subject: fc.oneof(
      with1('consumer.next.LOG.x.', '.1'),
      with1('consumer.next.LOG.'),
      one('consumer.next.LOG.x.y.1'),
    ),
    keys: ['batch', 'expires'],
  },
  {
    who: 'module',
    row: 'control',
    subject: fc.oneof(
      one('ctl.mallory.start', 'ctl.mallory.ready', 'ctl.mallory.beat'),
      with1('ctl.mallory.'),
    ),
    keys: CONTROL_KEYS,
  },
  {
    who: 'module',
    subject: fc.oneof(one('res.mallory.act', 'res.mallory.act.x'), with1('res.mallory.act.')),
    keys: ['status', 'error', 'out', 'data'],
  },
  {
    who: 'module',
    subject: fc.oneof(one('evt.mallory.seen', 'evt.mallory.seen.x'), with1('evt.mallory.seen.')),
    keys: ['data'],
  },
  { who: 'module', row: 'moduleCalls', subject: with1('call.accounts.balance.'), keys: ['amount'] },
  {
    who: 'trusted',
    row: 'trustedProducers',
    subject: fc.oneof(one(...Object.values(PRODUCER)), with1('producer.')),
    keys: PRODUCER_KEYS,
  },
];

describe('every subject that the broker serves', () => {
  let dir: TempDir;
  let broker: TestBroker;
  const connections = new Map<Who, NatsConnection>();

  before(async () => {
    dir = tempDir();
    writeMallory(dir.path);
    const trusted = newUserKey();
    broker = await startBroker({
      shipped: ['accounts'],
      args: ['--module', dir.path, '--trust', `mallory=${trusted.publicKey}`],
    });
    connections.set('guest', await connect({ servers: broker.url }));
    connections.set('operator', await connectOperator(broker.dataDir));
    connections.set('module', await connectWith(broker.url, readLoot(dir.path).seed));
    connections.set('trusted', await connectWith(broker.url, trusted.seed));
  });

  after(async () => {
    await Promise.all([...connections.values()].map((nc) => nc.close()));
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  /** The broker hears: its own answer, without the log and any module between. */
  const hears = async (): Promise<void> => {
    const operator = connections.get('operator') as NatsConnection;
    const guest = connections.get('guest') as NatsConnection;
    const [status, info] = await Promise.all([
      operator.request(OPS.status, '{}', { timeout: NOT_DEAF_MS }),
      guest.request('$SRV.INFO.accounts', '', { timeout: NOT_DEAF_MS }),
    ]);
    assert.equal(status.json<{ pid: number }>().pid, broker.pid, status.string().slice(0, 300));
    assert.equal(info.json<{ name: string }>().name, 'accounts');
  };

  it('is in the list of subjects that this test sends to', () => {
    const sent = new Set(TARGETS.map(({ row }) => row));
    for (const row of Object.keys(SERVED)) assert.ok(sent.has(row as keyof typeof SERVED), row);
  });

  for (const { who, row, subject, keys } of TARGETS) {
    it(`answers, and is not deaf, whatever came before: ${row ?? 'stored records'}, from the ${who}`, async () => {
      const nc = connections.get(who) as NatsConnection;
      const message = fc.record({
        to: subject,
        payload: awkwardPayload(keys),
        headers: fc.option(headerBlock(NAMES), { freq: 3 }),
      });
      await fc.assert(
        fc.asyncProperty(message, async ({ to, payload, headers }) => {
          const options = {
            reply: createInbox(),
            ...(headers === null ? {} : { headers: rawHeaders(headers) }),
          };
          if (payload.length + (headers?.length ?? 0) > 1_048_576) return;
          nc.publish(to, payload, options);
          await nc.flush();
          await hears();
        }),
        { numRuns: RUNS },
      );
      assert.ok(!broker.stdout.some((line) => line.includes('reader closed')), broker.stdout.join('\n'));
    });
  }

  it('is served on, with a module between and the log', async () => {
    const guest = connections.get('guest') as NatsConnection;
    const reply = await guest.request('call.accounts.deposit.z', '{"amount":1}', { timeout: 20_000 });
    assert.equal(reply.json<{ status: string }>().status, 'ok', reply.string());
  });
});
