import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AccountTraffic,
  MOST_UNSEEN,
  nextBalance,
  type TrafficBalance,
  unseenFlood,
} from '../../../broker/supervisor/unseen-traffic.js';

const NONE: AccountTraffic = { msgs: 0, bytes: 0 };
const plus = (a: AccountTraffic, b: AccountTraffic): AccountTraffic => ({
  msgs: a.msgs + b.msgs,
  bytes: a.bytes + b.bytes,
});

/** Looks at a module once a second; each second it sends this, and so much of it is seen. */
const afterSeconds = (each: readonly (readonly [AccountTraffic, AccountTraffic])[]): TrafficBalance => {
  let balance = nextBalance(undefined, NONE, NONE, 0);
  let [received, seen] = [NONE, NONE];
  each.forEach(([sent, read], i) => {
    [received, seen] = [plus(received, sent), plus(seen, read)];
    balance = nextBalance(balance, received, seen, (i + 1) * 1_000);
  });
  return balance;
};

const random = (most: number): number => Math.floor(Math.random() * most);

describe('what of a module nobody sees', () => {
  it('is no flood while it stores what it sends, and acknowledges and pulls each command', () => {
    for (let run = 0; run < 200; run++) {
      const seconds = Array.from({ length: 1 + random(30) }, () => {
        const [records, size] = [random(100_000), 1 + random(10_000)];
        const seen = { msgs: records, bytes: records * size };
        const unseen = { msgs: 2 * records + random(MOST_UNSEEN.msgs), bytes: records * 200 };
        return [plus(seen, unseen), seen] as const;
      });
      assert.equal(unseenFlood(afterSeconds(seconds)), undefined);
    }
  });

  it('is no flood while the log has it and the broker has not read it yet', () => {
    const records = 50_000;
    const late = afterSeconds([[{ msgs: records, bytes: records * 500 }, NONE]]);
    assert.notEqual(unseenFlood(late), undefined);
    assert.equal(unseenFlood(late, records), undefined);
  });

  it('is a flood when it is more than it may be, in messages or in bytes, whatever else is stored', () => {
    for (let run = 0; run < 200; run++) {
      const records = random(1_000);
      const seen = { msgs: records, bytes: records * 100 };
      const [msgs, bytes] = [MOST_UNSEEN.msgs, MOST_UNSEEN.bytes].map(
        (most) => (MOST_UNSEEN.seconds + 2) * most + random(most),
      ) as [number, number];
      const many = plus(seen, { msgs: 3 * records + msgs, bytes: 0 });
      assert.match(unseenFlood(afterSeconds([[many, seen]])) ?? '', /messages/);
      const large = plus(seen, { msgs: 0, bytes: 300 * records + bytes });
      assert.match(unseenFlood(afterSeconds([[large, seen]])) ?? '', /bytes/);
    }
  });

  it('is counted from the beginning when the server was started again', () => {
    const before = afterSeconds([[{ msgs: 3_000, bytes: 0 }, NONE]]);
    const after = nextBalance(before, { msgs: 100, bytes: 0 }, NONE, 2_000);
    assert.deepEqual(after.above, NONE);
  });
});
