import assert from 'node:assert/strict';
import { gapIn, type Producing, readCounted } from '../support/producing.js';

/** What programs said of one producer's numbers, over all their lives. */
export class Told {
  /** Where each number that was acknowledged stands, as its sender was told. */
  readonly stored = new Map<number, number>();
  /** Numbers that an outbox had, or the log. */
  readonly accepted = new Set<number>();
  readonly refused = new Map<number, string>();

  add(program: Producing): void {
    for (const line of program.lines) {
      const [kind, i, rest = ''] = line.split(' ');
      if (kind === 'stored') this.stored.set(Number(i), Number(rest));
      else if (kind === 'accepted') this.accepted.add(Number(i));
      else if (kind === 'refused') this.refused.set(Number(i), rest);
    }
  }

  /** I1 and I2: what was acknowledged is in the log once and where it was said to be, all in the order of sending. */
  async check(dataDir: string, producer: string): Promise<void> {
    const records = (await readCounted(dataDir)).filter((record) => record.producer === producer);
    const numbers = records.map(({ i }) => i);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
      'each once, in the order of sending',
    );
    assert.equal(gapIn(records), undefined);
    const places = new Map(records.map(({ i, seq }) => [i, seq]));
    assert.deepEqual(
      [...this.stored].filter(([i, seq]) => places.get(i) !== seq),
      [],
      'each where its sender was told',
    );
  }

  /** Everything accepted is stored. */
  async checkAccepted(dataDir: string, producer: string): Promise<void> {
    const records = await readCounted(dataDir);
    const stored = new Set(records.filter((record) => record.producer === producer).map(({ i }) => i));
    assert.deepEqual(
      [...this.accepted].filter((i) => !stored.has(i)),
      [],
    );
  }
}
