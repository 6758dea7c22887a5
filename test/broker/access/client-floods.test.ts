import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, headers, type MsgHdrs, type NatsConnection } from 'nats';
import { linkedRequest } from '../../../link/linked-request.js';
import { newUserKey } from '../../../link/nkey.js';
import { ACCESS } from '../../../schemas/access-requests.js';
import type { AuditRecord } from '../../../schemas/audit-record.js';
import { PRODUCER } from '../../../schemas/producer-requests.js';
import { byForm } from '../../support/form.js';
import { tallystick } from '../../support/broker.js';
import { waitFor } from '../../support/wait-for.js';
import { AttackedBroker } from './attacked-broker.js';
import { connectWith } from './attempts.js';

/** Sent between two looks at others. */
const MANY = 5_000;

const unknownHeader = (): MsgHdrs => {
  const sent = headers();
  sent.set('Tally-Nothing', '1');
  return sent;
};

type WrongRequest = readonly [what: string, subject: string, of?: () => MsgHdrs];
/** Each is refused, now and later. */
const KINDS: readonly WrongRequest[] = [
  ['commands to no module', 'cmd.nobody.act.x'],
  ['calls of no action', 'call.accounts.nothing.x'],
  ['commands with a header that nobody reads', 'cmd.accounts.deposit.x', unknownHeader],
  ['schedules of no module', 'schedule.nobody.act.x'],
  ['calls without an agent', 'call.accounts.deposit'],
  ['states of no module', 'state.nobody.x'],
  ['calls of no module', 'call.nobody.act.x'],
  ['producers that ask for nothing', PRODUCER.open],
];
const WRONG = KINDS.slice(0, byForm({ short: 3, deep: KINDS.length }));

describe('a client that sends on, whatever it is answered', () => {
  let attacked: AttackedBroker;
  let seed: string;

  before(async () => {
    attacked = await AttackedBroker.start();
    const key = newUserKey();
    seed = key.seed;
    const allow = ['call *.*', 'send *.*', 'schedule *.*', 'read *', 'produce *'];
    const body = JSON.stringify({ name: 'flooder', publicKey: key.publicKey, allow, ttlMs: null });
    const reply = await linkedRequest(attacked.operator, ACCESS.create, body, { timeout: 30_000 });
    assert.equal(reply.json<{ error?: unknown }>().error, undefined);
  });
  after(() => attacked?.[Symbol.asyncDispose]());

  const open = (who: string): Promise<NatsConnection> =>
    who === 'guest'
      ? connect({ servers: attacked.broker.url, reconnect: false })
      : connectWith(attacked.broker.url, seed);

  for (const [i, [what, subject, of]] of WRONG.entries()) {
    const who = i % 2 === 0 ? 'guest' : 'token';
    it(`I12 is cut off, and others are served: ${what}, by a ${who}`, async () => {
      const flooder = await open(who);
      while (!flooder.isClosed()) {
        for (let each = 0; each < MANY && !flooder.isClosed(); each++)
          flooder.publish(subject, '{"amount":1}', {
            reply: '_INBOX.flood',
            ...(of === undefined ? {} : { headers: of() }),
          });
        assert.deepEqual(await attacked.balance('other'), {
          status: 'ok',
          data: { balance: 0, outgoing: 0 },
        });
      }
      // It may come again: the account is not shut out.
      const again = await open(who);
      const reply = await again.request('call.accounts.balance.other', '{}', { timeout: 10_000 });
      assert.equal(reply.json<{ status: string }>().status, 'ok');
      await again.close();
      await attacked.logStands();
    });
  }

  it('I12 is in the audit with its account, and the reason', async () => {
    const cut = await waitFor('the record', async () => {
      const { stdout } = await tallystick(['audit', 'list', '--json', '--kind', 'refused.OVERLOADED'], {
        dataDir: attacked.broker.dataDir,
      });
      const records = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditRecord);
      return records.find(({ target }) => target === 'its connection');
    });
    assert.ok(cut.principal === 'guest' || cut.principal === '_flooder', cut.principal);
    assert.match(cut.detail ?? '', /sent on after/);
  });

  it('I12 is not cut off while it waits for its refusals: each one has its answer, later and later', async () => {
    // Another client of the account has been cut off a moment ago: its count is still high.
    const other = await open('guest');
    while (!other.isClosed()) {
      for (let i = 0; i < MANY && !other.isClosed(); i++)
        other.publish('cmd.nobody.act.x', '{}', { reply: '_INBOX.flood' });
      await attacked.balance('other');
    }
    const [waiting, each] = [200, 8];
    const nc = await open('guest');
    const codes = new Set<string>();
    const ask = async (): Promise<void> => {
      for (let i = 0; i < each; i++) {
        const reply = await nc.request('call.nobody.act.x', '{}', { timeout: 60_000 });
        codes.add(reply.json<{ error: { code: string } }>().error.code);
      }
    };
    await Promise.all(Array.from({ length: waiting }, ask));
    assert.equal(nc.isClosed(), false);
    assert.deepEqual([...codes], ['MODULE_UNKNOWN']);
    await nc.close();
  });
});
