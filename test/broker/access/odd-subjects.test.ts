import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog } from '../../support/log-checks.js';
import { RawNats } from '../../support/raw-nats.js';

let broker: TestBroker;
let guest: RawNats;

before(async () => {
  broker = await startBroker({ shipped: ['accounts'] });
  guest = await RawNats.connect(broker.url);
});
after(async () => {
  await guest?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
});

/** Bytes that end a subject or a token, and so are not in one. */
const ENDS = new Set(Buffer.from(' \t\r\n.'));
const isPlain = (byte: number): boolean => byte > 32 && byte < 127 && byte !== 42 && byte !== 62;

/** A token with at least one byte that no name has, nor printable text. */
const odd = fc
  .tuple(fc.uint8Array({ maxLength: 5 }), fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 5 }))
  .map(([before, byte, behind]) =>
    Buffer.from(
      [...before, isPlain(byte) || ENDS.has(byte) ? byte + 128 : byte, ...behind].filter(
        (each) => !ENDS.has(each),
      ),
    ),
  )
  // A wildcard alone is one to the server's rights, before the broker hears of it.
  .filter((token) => !['>', '*'].includes(token.toString('latin1')));

const SUBJECTS = [
  ['cmd.accounts.deposit.', ''],
  ['cmd.accounts.', '.alice'],
  ['cmd.', '.deposit.alice'],
  ['call.accounts.deposit.', ''],
  ['call.accounts.', '.alice'],
  ['schedule.accounts.deposit.', ''],
  ['schedule.', '.deposit.alice'],
] as const;

test('a subject with bytes that are no printable ASCII is refused with a code, and nothing of it is stored', async () => {
  let records = 0;
  await checkLog(broker.dataDir, () => (records += 1));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SUBJECTS), odd, async ([start, end], token) => {
      const subject = Buffer.concat([Buffer.from(start), token, Buffer.from(end)]);
      const answer = await guest.request(
        subject,
        ['Tally-In: 1h'].filter(() => start.startsWith('sched')),
        '{"amount":1}',
      );
      const { error } = JSON.parse(answer.slice(answer.lastIndexOf('\r\n\r\n') + 4)) as {
        error: { code: string };
      };
      assert.ok(['NAME_INVALID', 'MODULE_UNKNOWN', 'ACTION_UNKNOWN'].includes(error.code), answer);
    }),
    {
      numRuns: 150,
      examples: [
        [SUBJECTS[0], Buffer.from([1])],
        [SUBJECTS[0], Buffer.from([0xff, 0xfe])],
      ],
    },
  );
  let now = 0;
  await checkLog(broker.dataDir, () => (now += 1));
  assert.equal(now, records);
});
