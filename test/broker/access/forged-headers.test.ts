import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import { CARRIED, HEADER } from '../../../schemas/headers.js';
import { parseIdentity } from '../../../schemas/identity.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog, connectOperator, soundLog } from '../../support/log-checks.js';
import { RawNats } from '../../support/raw-nats.js';
import { verifyLog } from '../../../replay/index.js';
import { success } from '../../support/either.js';

/** Headers by which the server or the broker acts, or the log knows who wrote what: none of them is a guest's to write. */
const NAMES = [
  ...Object.values(HEADER).filter((name) => ![...CARRIED, HEADER.key].some((allowed) => allowed === name)),
  'Nats-Batch-Id',
  'Nats-Batch-Sequence',
  'Nats-Batch-Commit',
  'Nats-Expected-Stream',
  'Nats-Expected-Last-Sequence',
  'Nats-Expected-Last-Msg-Id',
  'Nats-Rollup',
  'Nats-TTL',
  'Nats-Incr',
  'Nats-Schedule',
  'Nats-Schedule-Target',
  'Nats-Stream',
  'Nats-Subject',
  'Nats-Sequence',
  'Nats-Last-Sequence',
  'Nats-Request-Info',
  'Tally-Command',
  'Tally-Sender',
  'X-Anything',
];

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((each) => each.toLowerCase()) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((each) => each.toUpperCase()) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES, ...CARRIED).map((each) => `${each} `) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((each) => ` ${each}`) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((each) => `A:${each}${each}`) },
);

const value = (epoch: number) =>
  fc.constantFrom(
    `gateway.${epoch}.1`,
    `gateway.${epoch}.999999`,
    'accounts.5.1',
    'scheduler.5.1',
    `guest~none.${epoch}.1`,
    'guest~none.9007199254740991.9007199254740991',
    String(epoch),
    'epoch.gateway',
    '1',
    '9007199254740993',
    '2099-01-01T00:00:00Z',
    '{"acc":"accounts"}',
    'all',
    '',
  );

const line = (epoch: number) => fc.tuple(name, value(epoch)).map(([key, text]) => `${key}: ${text}`);

const BODY = '{"amount":1}';

describe('whatever headers a guest puts on what it sends', () => {
  let broker: TestBroker;
  let raw: RawNats;
  let guest: NatsConnection;
  let operator: NatsConnection;
  let gatewayEpoch = 1;
  let taken = 0;

  const balance = async (agent: string): Promise<number> => {
    const reply = await guest.request(`call.accounts.balance.${agent}`, '{}', { timeout: 10_000 });
    return reply.json<{ data: { balance: number } }>().data.balance;
  };

  before(async () => {
    broker = await startBroker({ shipped: ['accounts'] });
    raw = await RawNats.connect(broker.url);
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
    await guest.request('call.accounts.deposit.first', BODY, { timeout: 10_000 });
    await checkLog(broker.dataDir, (message) => {
      const id = parseIdentity(message.header(HEADER.id) ?? '');
      if (id?.producer === 'gateway') gatewayEpoch = id.epoch;
    });
  });

  after(async () => {
    await Promise.all([guest?.close(), operator?.close()]);
    await raw?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
  });

  for (const verb of ['cmd', 'call', 'schedule'] as const)
    it(`I7 ${verb}: one that is not its own to write is refused, and named`, async () => {
      const own = verb === 'schedule' ? ['Tally-In: 1000d'] : [];
      const isRefused = async (lines: readonly string[]): Promise<void> => {
        const answer = await raw.request(`${verb}.accounts.deposit.eve`, [...own, ...lines], BODY);
        // The server itself replaces a forged word on who asks, where it finds it.
        const isServers = lines.every((each) => each.startsWith('Nats-Request-Info:'));
        if (isServers && !/"code"/.test(answer)) taken += verb === 'schedule' ? 0 : 1;
        else assert.match(answer, /"code":"(HEADER_INVALID|EPOCH_CLOSED)"/, lines.join(' | '));
      };
      for (const each of [...NAMES, 'Bad Key', ' ', ''])
        if (each !== 'Nats-Request-Info') await isRefused([`${each}: 1`]);
      const others = verb === 'schedule' ? ['Tally-Timezone', 'Tally-Cron'] : [];
      const allowed = [...CARRIED, HEADER.key, ...others];
      // The name alone: the server gives it back as it is spelled in the list.
      for (const each of allowed) {
        for (const spelled of [each.toUpperCase(), each.toLowerCase(), `${each} `].filter(
          (name) => name !== each,
        )) {
          const answer = await raw.request(`${verb}.accounts.deposit.eve`, [...own, `${spelled}: 1`], BODY);
          assert.ok(answer.includes(`its name is ${each}, and case`), answer);
        }
      }
      const named = await raw.request(`${verb}.accounts.deposit.eve`, [...own, 'Nats-Msg-Id: 1'], BODY);
      const { message = '' } = /"message":"(?<message>(?:[^"\\]|\\.)*)"/.exec(named)?.groups ?? {};
      for (const sentence of message.split('. ')) assert.ok(sentence.split(': ').length <= 2, sentence);
      await isRefused(['no colon at all']);
      await isRefused(['Tally-Deadline: 2999-01-01T00:00:00Z', 'Tally-Deadline: 2999-01-01T00:00:00Z']);
      const lines = fc.array(line(gatewayEpoch), { minLength: 1, maxLength: 3 });
      await fc.assert(fc.asyncProperty(lines, isRefused), { numRuns: 60 });
    });

  it('an empty time zone is refused, and not taken for UTC', async () => {
    const lines = ['Tally-Cron: @daily', 'Tally-Timezone:'];
    const answer = await raw.request('schedule.accounts.deposit.eve', lines, BODY);
    assert.match(answer, /"code":"SCHEDULE_INVALID".*time zone is empty/);
  });

  it('I7 those that are its own are in the log, and no others', async () => {
    const lines = ['Tally-Deadline: 2999-01-01T00:00:00Z', 'Tally-Priority: urgent', 'traceparent: a-b-c'];
    const answer = await raw.request('cmd.accounts.deposit.fay', lines, BODY);
    assert.match(answer, /\{"stream":"LOG","seq":\d+\}$/);
    const seq = Number(/"seq":(\d+)/.exec(answer)?.[1]);
    await checkLog(broker.dataDir, (message) => {
      if (message.seq !== seq) return;
      for (const each of lines) {
        const [key = '', text] = each.split(': ');
        assert.equal(message.header(key), text);
      }
      assert.equal(parseIdentity(message.header(HEADER.id) ?? '')?.producer, 'gateway');
    });
  });

  it('a command that nobody waits for is in the log too, and of one that is refused the broker says so', async () => {
    raw.publish('cmd.accounts.deposit.gil', [], BODY);
    raw.publish('cmd.accounts.deposit.gil', ['Nats-Msg-Id: 1'], BODY);
    raw.publish('cmd.accounts.deposit.gil', ['Nats-Msg-Id: 1'], BODY);
    raw.publish('cmd.accounts.deposit.gil', [], BODY);
    await raw.request('call.accounts.balance.gil', [], '{}');
    assert.equal(await balance('gil'), 2);
    assert.ok(broker.stderr.some((text) => /no sender waits for a reply: HEADER_INVALID/.test(text)));
  });

  it('I1 to I6 the log is sound, verified clean, and all of it was sent by the guest; no money is made', async () => {
    await soundLog(broker.dataDir);
    await checkLog(broker.dataDir, (message) => {
      const { subject, seq } = message;
      const parts = splitSubject(subject);
      if (parts?.kind !== 'cmd') return;
      assert.equal(parts.sender, 'guest', `${seq} ${subject}`);
      assert.equal(parseIdentity(message.header(HEADER.id) ?? '')?.producer, 'gateway', `${seq} ${subject}`);
      for (const forged of [HEADER.redrives, HEADER.schedule, HEADER.next, HEADER.messageId])
        assert.equal(message.header(forged), undefined, `${seq} ${forged}`);
    });
    assert.equal(await balance('eve'), taken);
    const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
    assert.deepEqual(verification.findings, []);
  });
});
