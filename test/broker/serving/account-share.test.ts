import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { limitsInForce } from '../../../broker/access/limits.js';
import { PrincipalUsages } from '../../../broker/serving/principal-usage.js';

/** What happens to the commands of an account, one after the other. `of`: which one, counted round. */
type Step =
  | { readonly kind: 'send' | 'read' }
  | { readonly kind: 'store' | 'lose' | 'end'; readonly of: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'send' } as const) },
  { weight: 4, arbitrary: fc.constant({ kind: 'read' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('store', 'lose', 'end'), of: fc.nat(9) }),
  },
) as fc.Arbitrary<Step>;

describe('the share of an account', () => {
  it('I12 open commands pass exactly up to the limit, in whichever order log, index and acknowledgements tell', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 120 }), (open, steps) => {
        // The log, in which acknowledgements come in its order; the index reads it before or after them.
        const log: { isOpen: boolean; isAcknowledged: boolean; isRead: boolean }[] = [];
        let [position, inIndex] = [0, 0];
        const usages = new PrincipalUsages(() => limitsInForce({ open }), {
          position: () => position,
          open: () => inIndex,
          bytes: () => 0,
          maxBytes: () => Number.POSITIVE_INFINITY,
        });
        const { share } = usages.of('_ci');
        const openNow = (): number => log.filter(({ isOpen }) => isOpen).length;
        for (const each of steps) {
          switch (each.kind) {
            case 'send': {
              const full = usages.full({ sender: '_ci', module: undefined, bytes: 10 });
              assert.equal(full === undefined, openNow() < open);
              if (full !== undefined) {
                assert.equal(full.code, 'OVERLOADED');
                assert.match(full.message, new RegExp(`limit open=${open};`));
                assert.ok((full.retryAfterMs ?? 0) > 0);
                break;
              }
              share.storing(10);
              log.push({ isOpen: true, isAcknowledged: false, isRead: false });
              break;
            }
            case 'store': {
              const at = log.findIndex(({ isAcknowledged }) => !isAcknowledged);
              const record = log[at];
              if (record === undefined) break;
              record.isAcknowledged = true;
              share.settled(10, at + 1);
              break;
            }
            case 'lose': {
              // Only the last one can be missing in the log, and the index has not read it.
              const record = log.at(-1);
              if (record === undefined || record.isAcknowledged || record.isRead) break;
              log.pop();
              share.settled(10, undefined);
              break;
            }
            case 'read': {
              const record = log[position];
              if (record === undefined) break;
              record.isRead = true;
              position += 1;
              inIndex += 1;
              usages.read('_ci', position);
              break;
            }
            case 'end': {
              const ready = log.filter(({ isOpen, isRead }) => isOpen && isRead);
              const record = ready[each.of % Math.max(1, ready.length)];
              if (record === undefined) break;
              record.isOpen = false;
              inIndex -= 1;
              break;
            }
          }
          assert.equal(share.open, openNow());
        }
      }),
    );
  });

  it('bytes of the log pass up to the share, and the refusal names it and asks for no other try', () => {
    let bytes = 0;
    const usages = new PrincipalUsages(() => limitsInForce({ log: 10 }), {
      position: () => 1,
      open: () => 0,
      bytes: () => bytes,
      maxBytes: () => 10_000,
    });
    for (; bytes < 1_000; bytes += 100)
      assert.equal(usages.full({ sender: 'guest', module: 'm', bytes: 100 }), undefined);
    const full = usages.full({ sender: 'guest', module: 'm', bytes: 100 });
    assert.equal(full?.code, 'LOG_FULL');
    assert.match(full?.message ?? '', /guest may have 10 percent .* limit log=10%: 1000 B, .*it has 1000 B/);
    assert.equal(usages.of('guest').refused, 1);
  });
});
