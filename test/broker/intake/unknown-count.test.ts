import assert from 'node:assert/strict';
import { it } from 'node:test';
import { REFUSED_FLOODS } from '../../../broker/intake/refusal-limits.js';
import { UnknownCount } from '../../../broker/intake/unknown-count.js';

const { most, perSecond } = REFUSED_FLOODS.wrong.account;

it('requests for modules that are not known are a flood above the limit, and no others are counted', () => {
  const count = new UnknownCount();
  const flood = (times: number, subject: string, connection: string, now = 0): number =>
    Array.from({ length: times }, () => count.isFlood(subject, connection, now)).filter(Boolean).length;
  assert.equal(flood(2 * most, 'send.nobody.act.x.guest', 'guest/1'), 0, 'nothing is known yet');
  count.know(['accounts']);
  assert.equal(flood(2 * most, 'send.accounts.deposit.x.guest', 'guest/1'), 0);
  assert.equal(flood(2 * most, 'producer.open.guest', 'guest/1'), 0);
  assert.equal(flood(2 * most, 'discover.INFO.guest', 'guest/1'), 0);
  assert.equal(flood(most, 'send.nobody.act.x.guest', 'guest/1'), 0);
  assert.equal(flood(1, 'ask.nobody.act.guest', 'guest/1'), 1);
  assert.equal(flood(most, 'state.nobody.guest', 'guest/2'), 0, 'each connection by itself');
  assert.equal(flood(1, 'schedule.nobody.act.x.guest', 'guest/1', 1_000), 0, 'it falls with time');
  assert.equal(flood(perSecond, 'send.nobody.act.x.guest', 'guest/1', 1_000), 2);
  count.know(['accounts', 'nobody']);
  assert.equal(flood(2 * most, 'send.nobody.act.x.guest', 'guest/1', 1_000), 0);
});
