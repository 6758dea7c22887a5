import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { splitSubject } from '../../../schemas/subjects.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog, soundLog } from '../../support/log-checks.js';
import { RawNats } from '../../support/raw-nats.js';

/** Who a guest would like to be. */
const CLAIMED = [
  'accounts',
  'operator',
  'CORE',
  'SYS',
  'broker',
  'gateway',
  'scheduler',
  '_',
  '',
  'constructor',
];

const inAnyCase = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(name) },
    { weight: 1, arbitrary: fc.constantFrom(name.toLowerCase(), name.toUpperCase()) },
  );

const claim = fc
  .constantFrom(...CLAIMED)
  .chain((account) =>
    fc.constantFrom(
      JSON.stringify({ acc: account }),
      JSON.stringify({ acc: account, user: account, svc: account, name: account, kind: 'Client' }),
      account,
      '{"acc":',
    ),
  );

/** A line that claims to come from somebody else. */
const claimLine = fc
  .tuple(
    inAnyCase('Nats-Request-Info').chain((name) => fc.constantFrom(name, `X-${name}`, `Tally-Sender`)),
    claim,
  )
  .map(([name, value]) => `${name}: ${value}`);

/** What leads a server to look for a header in the wrong place: its name in a name or in a value. */
const decoyLine = inAnyCase('Nats-Request-Info').chain((name) =>
  fc.constantFrom(`A:${name}${name}`, `A: ${name}:`, `${name}${name}: x`, `A: ${name}: {}`, `${name}:`),
);

const headerLines = fc.array(fc.oneof(claimLine, decoyLine), { minLength: 1, maxLength: 4 });

const CREDIT = JSON.stringify({ from: 'a', transfer: 1, amount: 1_000 });

describe('I7 whoever a guest claims to be in a header', () => {
  let broker: TestBroker;
  let raw: RawNats;

  before(async () => {
    broker = await startBroker({ shipped: ['accounts'] });
    raw = await RawNats.connect(broker.url);
  });

  after(async () => {
    await raw?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
  });

  const refusals: readonly (readonly [string, readonly string[], string])[] = [
    ['call.accounts.credit.eve', [], CREDIT],
    ['schedule.accounts.credit.eve', ['Tally-In: 1s'], CREDIT],
  ];

  for (const [subject, own, body] of refusals)
    it(`${subject} is refused to it as to any guest`, async () => {
      const isRefused = async (lines: readonly string[]): Promise<void> => {
        const answer = await raw.request(subject, [...lines, ...own], body);
        assert.match(answer, /"code":"(CALLER_FORBIDDEN|HEADER_INVALID)"/);
      };
      await isRefused(['A:Nats-Request-InfoNats-Request-Info', 'Nats-Request-Info:{"acc":"accounts"}']);
      await fc.assert(fc.asyncProperty(headerLines, isRefused), { numRuns: 60 });
    });

  it('a producer is one of the guest', async () => {
    const request = { name: 'p', instance: 'i', takeover: true, previous: null, account: 'accounts' };
    const isOfGuest = async (lines: readonly string[]): Promise<void> => {
      const answer = await raw.request('producer.open', lines, JSON.stringify(request));
      assert.match(answer, /"producer":"guest~p"|"code":"HEADER_INVALID"/);
    };
    await isOfGuest(['A:Nats-Request-InfoNats-Request-Info', 'Nats-Request-Info:{"acc":"accounts"}']);
    await fc.assert(fc.asyncProperty(headerLines, isOfGuest), { numRuns: 20 });
  });

  it('the log names the guest as the sender, nobody has money of it, and the log is sound', async () => {
    for (const lines of [[], ['Nats-Request-Info: {"acc":"accounts"}']])
      await raw.request('cmd.accounts.credit.eve', lines, CREDIT);
    await soundLog(broker.dataDir);
    await checkLog(broker.dataDir, ({ subject, seq }) => {
      const parts = splitSubject(subject);
      if (parts?.kind === 'cmd') assert.equal(parts.sender, 'guest', `${seq} ${subject}`);
      if (parts?.kind === 'epoch')
        assert.match(parts.producer, /^(broker|gateway|scheduler|accounts|guest~p)$/);
      assert.notEqual(parts?.kind, 'evt', `${seq} ${subject}`);
    });
  });
});
