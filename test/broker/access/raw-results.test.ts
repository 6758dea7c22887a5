import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import { HEADER } from '../../../schemas/headers.js';
import { OPS } from '../../../schemas/operate.js';
import { awkwardPayload, headerBlock, nested, rawHeaders } from '../../support/awkward.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { connectWith } from './attempts.js';
import { readLoot, writeMallory } from './loot.js';

const RUNS = Number(process.env.RAW_RUNS ?? '10');
/** What the server takes at most in one message, headers and all. */
const MOST = 1_048_576;
const TRACED = 1;

type Fill = 'as it is' | 'to the last byte';

const deep = (): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.constantFrom('data', 'out', 'error'), fc.constantFrom(999, 1_001, 6_000, 100_000, 500_000))
    .map(([key, levels]) => Buffer.from(`{"status":"ok","${key}":${nested(levels)}}`));

/** What a module may store and no host would. */
const record = () =>
  fc.record({
    subject: fc.constantFrom(
      'res.mallory.act',
      'res.mallory.act.x',
      'res.mallory.ac$t.x',
      'evt.mallory.seen',
      'evt.mallory.seen.x',
      'evt.mallory.se{}en.x',
      'cmd.accounts.balance.x',
      'cmd.accounts.balance',
    ),
    payload: fc.oneof(deep(), awkwardPayload(['status', 'data', 'out', 'error', 'subject'])),
    block: fc.option(headerBlock(Object.values(HEADER)), { freq: 3 }),
    fill: fc.constantFrom<Fill>('as it is', 'as it is', 'to the last byte'),
  });

/** The payload, and spaces up to what the server takes. */
const filled = (payload: Uint8Array, headerBytes: number): Uint8Array => {
  const room = MOST - headerBytes - payload.length;
  return room > 0 ? Buffer.concat([payload, Buffer.alloc(room, ' ')]) : payload;
};

describe('what a module stores past every host', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let mallory: NatsConnection;
  let guest: NatsConnection;
  let operator: NatsConnection;
  let live = 0;
  const marks: string[] = [];

  before(async () => {
    dir = tempDir();
    writeMallory(dir.path);
    broker = await startBroker({ shipped: ['accounts'], args: ['--module', dir.path] });
    mallory = await connectWith(broker.url, readLoot(dir.path).seed);
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
    guest.subscribe('live.>', {
      callback: (_, { subject }) => {
        live += 1;
        if (subject === 'live.evt.accounts.deposited.mark') marks.push(subject);
      },
    });
    await guest.flush();
  });
  after(async () => {
    await Promise.all([mallory, guest, operator].map((nc) => nc?.close()));
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const epochsOfAccounts = (): number =>
    broker.stdout.concat(broker.stderr).filter((line) => /a new epoch is needed/.test(line)).length;

  it('keeps no host, index or subscriber from what comes behind it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record(), { minLength: 1, maxLength: 6 }), async (records) => {
        for (const { subject, payload, block, fill } of records) {
          const size = block?.length ?? 0;
          const data = fill === 'as it is' ? payload : filled(payload, size);
          if (size + data.length > MOST) continue;
          mallory.publish(subject, data, block === null ? {} : { headers: rawHeaders(block) });
        }
        await mallory.flush();
        const before = marks.length;
        const reply = await guest.request('call.accounts.deposit.mark', '{"amount":1}', { timeout: 5_000 });
        assert.equal(reply.json<{ status: string }>().status, 'ok', reply.string().slice(0, 300));
        await waitFor('the event for who listens', () => marks.length > before, 5_000);
        const status = await operator.request(OPS.status, '{}', { timeout: 5_000 });
        assert.equal(status.json<{ pid: number }>().pid, broker.pid);
      }),
      { numRuns: RUNS },
    );
    assert.equal(epochsOfAccounts(), 0, 'no host had to begin again');
    assert.ok(live >= marks.length);
  });

  it('is read by the tools of replay, which say what they find and do not end by a throw', async () => {
    const { dataDir } = broker;
    const listed = await tallystick(['replay', 'history', '--module', 'mallory', '--json'], {
      dataDir,
      timeoutMs: 120_000,
    });
    assert.equal(listed.code, 0, listed.stderr.slice(0, 2_000));
    const seqs = [...listed.stdout.matchAll(/^\{"seq":(\d+)/gm)].map(([, seq]) => seq as string);
    // How many there are is chance: some inputs are for another module, or are too large.
    assert.ok(seqs.length > 0, 'no record of it');
    const traced = seqs.slice(-TRACED).map((seq) => [[0], 'trace', seq] as const);
    for (const [codes, ...args] of [
      // It finds what is wrong: results without a cause, numbers that nobody had.
      [[0, 1, 2], 'verify'],
      [[0], 'history', '--last', '500'],
      [[0], 'export'],
      ...traced,
    ] as const) {
      const { code, stdout, stderr } = await tallystick(['replay', ...args], { dataDir, timeoutMs: 120_000 });
      assert.ok(
        (codes as readonly (number | null)[]).includes(code),
        `${args.join(' ')}: ${code} ${stderr.slice(0, 2_000)}`,
      );
      assert.ok(stdout.length > 0 || code !== 0, `${args.join(' ')} says nothing`);
      assert.doesNotMatch(stderr, /\n\s+at |RangeError|TypeError|INTERNAL/, args.join(' '));
    }
  });
});
