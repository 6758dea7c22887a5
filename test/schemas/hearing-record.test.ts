import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { covers, type Heard } from '../../schemas/heard-events.js';
import { dueBy, floorOf, type HeardStretch, nextHearing, stretchesAt } from '../../schemas/hearing-record.js';

const TYPES = ['a.x', 'a.y', 'b.x'] as const;
const NAMES = [...TYPES, 'a.>'] as const;

type Step =
  | { readonly kind: 'event'; readonly type: string }
  | { readonly kind: 'deliver'; readonly events: number }
  | { readonly kind: 'load'; readonly on: Readonly<Record<string, Heard>> };

const from = fc.oneof(fc.constantFrom<'now' | 'start'>('now', 'start'), fc.integer({ min: 1, max: 40 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('event' as const), type: fc.constantFrom(...TYPES) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), events: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      on: fc.dictionary(fc.constantFrom(...NAMES), fc.record({ action: fc.constant('note'), from })),
    }),
  },
);

/** A log of events and loads, and a listener that is brought its events by what the records of its loads say. */
class Run {
  /** By sequence from 1; undefined: a record that is no event. */
  readonly log: (string | undefined)[] = [];
  readonly delivered: number[] = [];
  readonly #loads: {
    readonly seq: number;
    readonly on: Readonly<Record<string, Heard>>;
    readonly begins: Map<string, number>;
  }[] = [];
  #stretches: readonly HeardStretch[] = [];
  #floor = 0;

  step(step: Step): void {
    if (step.kind === 'event') this.log.push(step.type);
    else if (step.kind === 'deliver') this.#deliver(step.events);
    else this.#load(step.on);
  }

  finish(): void {
    this.#deliver(Number.POSITIVE_INFINITY);
  }

  /** Published while it was listened to, or behind the begin of an entry that was new. */
  expected(): readonly number[] {
    return this.log.flatMap((type, index) => {
      const seq = index + 1;
      if (type === undefined) return [];
      const live = this.#loads.findLast((load) => load.seq < seq)?.on ?? {};
      const isLive = Object.keys(live).some((name) => covers(name, type));
      const isPast = this.#loads.some(({ seq: at, begins }) =>
        [...begins].some(([name, begin]) => covers(name, type) && seq > begin && seq < at),
      );
      // One that begins later than it was loaded hears nothing before that.
      const isEarly = isLive && !this.#isBegun(type, seq);
      return (isLive && !isEarly) || isPast ? [seq] : [];
    });
  }

  #isBegun(type: string, seq: number): boolean {
    const load = this.#loads.findLast((each) => each.seq < seq);
    return Object.keys(load?.on ?? {}).some((name) => {
      if (!covers(name, type)) return false;
      const since = this.#loads.findLastIndex((each) => each.begins.has(name) && each.seq < seq);
      return seq > (this.#loads[since]?.begins.get(name) ?? 0);
    });
  }

  #deliver(most: number): void {
    let left = most;
    for (let seq = this.#floor + 1; seq <= this.log.length && left > 0; seq++) {
      const type = this.log[seq - 1];
      this.#floor = seq;
      if (type === undefined || dueBy(this.#stretches, type, seq) === undefined) continue;
      this.delivered.push(seq);
      left -= 1;
    }
  }

  #load(on: Readonly<Record<string, Heard>>): void {
    const lastSeq = this.log.length;
    const before = this.#stretches;
    const stretches = nextHearing({ on, before, floor: this.#floor, lastSeq });
    if (stretches === undefined) return;
    this.log.push(undefined);
    const seq = this.log.length;
    const going = new Set(before.filter(({ upTo }) => upTo === null).map(({ events }) => events));
    const begins = new Map(
      Object.entries(on)
        .filter(([name]) => !going.has(name))
        .map(([name, heard]) => {
          const begin =
            heard.from === 'start' ? 0 : typeof heard.from === 'number' ? heard.from - 1 : lastSeq;
          return [name, begin];
        }),
    );
    this.#loads.push({ seq, on, begins });
    this.#stretches = stretchesAt({ listener: 'l', stretches }, seq);
    this.#floor = Math.min(floorOf(this.#stretches), seq);
  }
}

it('I10 each event is heard once, by whatever entries come and go, and none that was not listened to', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const run = new Run();
      for (const each of steps) run.step(each);
      run.finish();
      assert.equal(new Set(run.delivered).size, run.delivered.length, 'heard twice');
      assert.deepEqual(
        run.delivered.toSorted((a, b) => a - b),
        run.expected(),
      );
    }),
    { numRuns: 2_000 },
  );
});
