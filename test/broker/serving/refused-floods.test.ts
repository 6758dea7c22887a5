import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { Incoming } from '../../../broker/intake/incoming.js';
import { REFUSED_FLOODS } from '../../../broker/intake/refusal-limits.js';
import { RefusedFloods } from '../../../broker/serving/refused-floods.js';
import { fault } from '../../../schemas/errors.js';

const WRONG = fault('MODULE_UNKNOWN', 'there is no module');
const NOT_NOW = fault('OVERLOADED', 'too many wait');

/** Time stands still but for `at`. */
const rig = () => {
  const time = { at: 0 };
  const cut: string[] = [];
  const floods = new RefusedFloods({ cut: (connection) => cut.push(connection), now: () => time.at });
  const refuse = (connection: string, problem = WRONG): boolean => {
    const arrival = { id: 1, subject: 'send.nobody.act.guest', reply: 'r', connection, headerBytes: 0 };
    const msg = new Incoming({ ...arrival, size: 0, weight: 0, isLeftOut: false }, new Uint8Array(0), {
      publish: () => undefined,
    } as unknown as NatsConnection);
    floods.refused(msg, problem);
    return msg.sendLater !== undefined;
  };
  const many = (count: number, connection: string, problem = WRONG): number =>
    Array.from({ length: count }, () => refuse(connection, problem)).filter(Boolean).length;
  return { time, cut, many };
};

describe('refused requests of a connection', () => {
  for (const [kind, problem] of [
    ['wrong', WRONG],
    ['notNow', NOT_NOW],
  ] as const) {
    const { account, connection } = REFUSED_FLOODS[kind];

    it(`${kind}: come later from half of the limit on, and above it the connection is cut off once`, () => {
      const { cut, many } = rig();
      assert.equal(many(account.most / 2, 'guest/1', problem), 0);
      assert.equal(many(account.most / 2, 'guest/1', problem), account.most / 2);
      assert.deepEqual(cut, []);
      many(100, 'guest/1', problem);
      assert.deepEqual(cut, ['guest/1']);
    });

    it(`${kind}: cost no other connection of the account its own`, () => {
      const { cut, many } = rig();
      many(account.most + 1, 'guest/1', problem);
      assert.equal(many(connection.most / 2, 'guest/2', problem), 0);
      many(connection.most / 2, 'guest/2', problem);
      assert.deepEqual(cut, ['guest/1']);
      // The next one that floods is cut off sooner.
      many(1, 'guest/2', problem);
      assert.deepEqual(cut, ['guest/1', 'guest/2']);
    });

    it(`${kind}: are forgotten with time, and are no flood as slow as the limit`, () => {
      const { time, cut, many } = rig();
      for (let i = 0; i < 100; i++) {
        many(account.perSecond / 10, `guest/${i % 50}`, problem);
        time.at += 100;
      }
      assert.deepEqual(cut, []);
      many(account.most, 'guest/1', problem);
      assert.deepEqual(cut, []);
    });
  }

  it('are counted apart by kind, and nobody is cut off whose connection is not known', () => {
    const { cut, many } = rig();
    many(REFUSED_FLOODS.wrong.account.most, 'guest/1');
    many(REFUSED_FLOODS.notNow.connection.most, 'guest/1', NOT_NOW);
    assert.deepEqual(cut, []);
    many(2 * REFUSED_FLOODS.wrong.account.most, 'guest/');
    assert.deepEqual(cut, []);
  });
});
