import type { EpochEnd } from '../../journal/append/recovery.js';
import { jsonOrText } from '../../schemas/json.js';
import type { Findings } from './findings.js';
import { quoted, quotedBytes } from './found-value.js';
import { includes, type NumberRange, rangeText, rangesWithout } from './number-ranges.js';
import { MAX_ENDED, type ProducerState } from './verify-producers.js';
import type { RecordView } from './record-view.js';

type Fields = Readonly<Record<string, unknown>>;

/** What an epoch record says, as far as it can be read: anybody may have written it. */
interface Said {
  readonly producer: unknown;
  readonly phase: unknown;
  readonly previous: unknown;
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const saidBy = (data: Uint8Array): Said => {
  const { producer, phase, previous } = fieldsOf(jsonOrText(data));
  return { producer, phase, previous };
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value);

/** How the epoch before ended; undefined where that cannot be read. */
const endIn = (previous: unknown): EpochEnd | undefined => {
  const { epoch, last, holes } = fieldsOf(previous);
  return isCount(epoch) && isCount(last) && Array.isArray(holes) && holes.every(isCount)
    ? { epoch, last, holes }
    : undefined;
};

/**
 * I2: the numbers of an epoch come in order, without a gap and once. One that is left out was refused or lost before
 * it was acknowledged, and the next epoch record lists it. A number that no epoch record lists is missing.
 */
export class Numbering {
  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
  ) {}

  /**
   * A record with a number of this producer. `owner`: the account for which a producer of the broker wrote it. A
   * module stores its own records itself and can number them in the broker's name: a finding that follows says whose
   * they are.
   */
  record(
    { seq, record, headers: { epoch, n } }: RecordView,
    producer: ProducerState,
    owner?: ProducerState,
  ): void {
    producer.hasWritten = true;
    if (epoch !== producer.epoch && !this.#inherits(producer, epoch, n)) {
      this.#stranger(seq, producer, epoch, n);
      return;
    }
    if (producer.fence > producer.epoch) {
      this.#stranger(seq, producer, epoch, n);
      return;
    }
    if (n <= producer.last) return this.#again(seq, producer, epoch, n);
    if (n > producer.last + 1) {
      const range = { from: producer.last + 1, to: n - 1, seq, timeMs: record.timeMs };
      this.#leftOut(producer, epoch, range);
    }
    producer.last = n;
    producer.lastOwner = owner;
  }

  /** An epoch record of this producer: shuts out what was before, and says what of it was never stored. */
  epoch({ seq, record }: RecordView, producer: ProducerState): void {
    const { phase, producer: name, previous } = saidBy(record.data);
    producer.fence = seq;
    if (name !== producer.name || (phase !== 'open' && phase !== 'fence')) {
      const { data } = record;
      const detail = (): string =>
        `the epoch record ${seq} of ${producer.name} says ${quotedBytes(data)}, which is no fence and no begin of its epoch`;
      this.findings.add('unattributed', seq, producer.name, detail);
      return;
    }
    if (phase === 'fence') return;
    if (producer.last > 0) {
      const ended = { epoch: producer.epoch, last: producer.last };
      producer.ended = [...producer.ended, ended].slice(-MAX_ENDED);
    }
    const isFirst = producer.epoch === 0;
    producer.epoch = seq;
    producer.last = 0;
    producer.isInherited = false;
    if (previous === null || previous === undefined) return;
    const end = endIn(previous);
    if (end === undefined) return this.#unreadable(seq, producer, previous);
    this.#ended(seq, producer, end, isFirst);
  }

  /** What an epoch record says of the epoch before. */
  #ended(seq: number, producer: ProducerState, previous: EpochEnd, isFirst: boolean): void {
    const { holes } = previous;
    this.#explained(producer, previous.epoch, holes);
    // Of a range that begins later, what that epoch stored may stand before it.
    if (isFirst && this.fromSeq > 1) return;
    // Not always the epoch just before: where the answer to a start was lost, the broker has stored copies in an
    // epoch that the process never heard of, and the next record says again how the last one ended that it was told
    // of.
    const stored = producer.ended.find(({ epoch }) => epoch === previous.epoch)?.last ?? 0;
    if (previous.epoch < this.fromSeq && stored === 0) return;
    const [oldest] = producer.ended;
    const isForgotten = producer.ended.length === MAX_ENDED && previous.epoch < (oldest?.epoch ?? 0);
    if (isForgotten) return;
    if (previous.last > stored) {
      const lost = { from: stored + 1, to: previous.last };
      if (holes.filter((n) => n > stored).length === previous.last - stored) return;
      const detail = (): string =>
        `${producer.name} had stored ${rangeText(lost)} of its epoch ${previous.epoch}, says epoch ${seq}: not there`;
      this.findings.add('missing', seq, producer.name, detail);
    }
  }

  /** An epoch record behind the range: it may explain what is left out in it. */
  explain({ record }: RecordView, producer: ProducerState): void {
    const end = endIn(saidBy(record.data).previous);
    if (end !== undefined) this.#explained(producer, end.epoch, end.holes);
  }

  /**
   * What no epoch record has explained. Left out in the epoch that counts still, and a moment ago: its producer may
   * be about to say so. Returns how many of those there are.
   */
  finish(producers: readonly ProducerState[], isYoung: (range: NumberRange) => boolean): number {
    let young = 0;
    for (const { name, holes, epoch } of producers) {
      for (const { epoch: of, ranges } of holes) {
        for (const range of ranges) {
          if (of === epoch && isYoung(range)) {
            young += 1;
            continue;
          }
          const detail = (): string =>
            `${name} has no ${rangeText(range)} in its epoch ${of}, before record ${range.seq}, and no epoch record says why`;
          this.findings.add('missing', range.seq, name, detail);
        }
      }
    }
    return young;
  }

  #explained(producer: ProducerState, epoch: number, numbers: readonly number[]): void {
    producer.holes = producer.holes
      .map((each) =>
        each.epoch === epoch
          ? { ...each, ranges: numbers.reduce((ranges, n) => rangesWithout(ranges, n), each.ranges) }
          : each,
      )
      .filter(({ ranges }) => ranges.length > 0);
  }

  /** Whether this is the first that the range shows of an epoch that began before it. */
  #inherits(producer: ProducerState, epoch: number, n: number): boolean {
    if (producer.epoch !== 0 || producer.fence !== 0 || epoch >= this.fromSeq) return false;
    producer.epoch = epoch;
    producer.isInherited = true;
    producer.last = n - 1;
    return true;
  }

  #unreadable(seq: number, { name }: ProducerState, previous: unknown): void {
    const detail = (): string =>
      `the epoch record ${seq} of ${name} says ${quoted(JSON.stringify(previous))} of the epoch before, which cannot be read`;
    this.findings.add('unattributed', seq, name, detail);
  }

  #stranger(seq: number, { name, epoch: now, fence }: ProducerState, epoch: number, n: number): void {
    if (epoch < fence && (epoch <= now || epoch < this.fromSeq)) {
      const detail = (): string =>
        `number ${n} of epoch ${epoch} stands behind record ${fence}, which had shut that epoch out`;
      this.findings.add('reordered', seq, name, detail);
      return;
    }
    const detail = (): string => `number ${n} names epoch ${epoch} of ${name}, which the log does not have`;
    this.findings.add('unattributed', seq, name, detail);
  }

  #leftOut(producer: ProducerState, epoch: number, range: NumberRange): void {
    const same = producer.holes.find((each) => each.epoch === epoch);
    producer.holes =
      same === undefined
        ? [...producer.holes, { epoch, ranges: [range] }]
        : producer.holes.map((each) => (each === same ? { epoch, ranges: [...same.ranges, range] } : each));
  }

  #again(seq: number, producer: ProducerState, epoch: number, n: number): void {
    const { name, last, lastOwner } = producer;
    const ofWhom = lastOwner === undefined ? '' : `, on a record of ${lastOwner.name}`;
    const same = producer.holes.find((each) => each.epoch === epoch);
    if (same === undefined || !includes(same.ranges, n)) {
      this.findings.add(
        'duplicated',
        seq,
        name,
        `number ${n} of epoch ${epoch} is there again, behind ${last}${ofWhom}`,
      );
      return;
    }
    producer.holes = producer.holes
      .map((each) => (each === same ? { epoch, ranges: rangesWithout(same.ranges, n) } : each))
      .filter(({ ranges }) => ranges.length > 0);
    this.findings.add(
      'reordered',
      seq,
      name,
      `number ${n} of epoch ${epoch} comes behind number ${last}${ofWhom}`,
    );
  }
}
