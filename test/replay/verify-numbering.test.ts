import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Findings } from '../../replay/verify/findings.js';
import { Numbering } from '../../replay/verify/verify-numbering.js';
import { ProducerState } from '../../replay/verify/verify-producers.js';
import type { RecordView } from '../../replay/verify/record-view.js';

interface Life {
  /** Records that each epoch has, in turn. */
  readonly epochs: readonly number[];
  /** Of which epoch before it the last record of an epoch tells the end. */
  readonly told: number;
  /** How many numbers more than are there it says were stored. */
  readonly more: number;
}

const lives: fc.Arbitrary<Life> = fc
  .record({
    epochs: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 }),
    told: fc.nat(),
    more: fc.integer({ min: 0, max: 3 }),
  })
  .map((life) => ({ ...life, told: life.told % life.epochs.length }));

/** What the check of numbers finds in a log of one producer alone. */
const found = ({ epochs, told, more }: Life): readonly string[] => {
  const findings = new Findings();
  const numbering = new Numbering(findings, 1);
  const producer = new ProducerState('accounts');
  let seq = 0;
  const view = (what: object, data = ''): RecordView => {
    seq += 1;
    return { seq, record: { data: Buffer.from(data), timeMs: 0 }, ...what } as unknown as RecordView;
  };
  const open = (previous: object | null): number => {
    const said = JSON.stringify({ phase: 'open', producer: 'accounts', previous });
    numbering.epoch(view({}, said), producer);
    return seq;
  };
  const ended: { epoch: number; last: number }[] = [];
  for (const last of epochs) {
    const epoch = open(null);
    for (let n = 1; n <= last; n++) numbering.record(view({ headers: { epoch, n } }), producer);
    ended.push({ epoch, last });
  }
  const { epoch, last } = ended[told] ?? assert.fail();
  open({ epoch, last: last + more, holes: [] });
  return findings.listed.map(({ kind, detail }) => `${kind}: ${detail}`);
};

test('an epoch record may tell how any earlier epoch ended, and what it says was stored must be there', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const all = found(life);
      if (life.more === 0) assert.deepEqual(all, []);
      else {
        assert.equal(all.length, 1);
        assert.match(all[0] ?? '', /^missing: accounts had stored numbers? .* not there$/);
      }
    }),
    { numRuns: 500 },
  );
});
