import { wordsOf } from '../../journal/wire/byte-words.js';
import { EVENTS_SENDER } from '../../schemas/heard-events.js';
import { isPeople } from '../../schemas/names.js';
import { WAITS_SENDER } from '../../schemas/wake.js';
import { ByteHash } from './byte-hash.js';
import type { Ranges } from './number-ranges.js';

/** Producers of the broker, which write commands for others and results for unknown modules. */
const BROKERS: ReadonlySet<string> = new Set(['broker', 'gateway', 'scheduler', WAITS_SENDER]);

/** Numbers that an epoch has left out, until an epoch record explains them. */
export interface Holes {
  readonly epoch: number;
  readonly ranges: Ranges;
}

/** An epoch that is over, and its highest number. */
export interface EndedEpoch {
  readonly epoch: number;
  readonly last: number;
}

/** More epochs than a producer loses one after the other before it is told of one of them. */
export const MAX_ENDED = 64;

/** What is known of one name that numbers records, or that commands are sent by. */
export class ProducerState {
  readonly isPeople: boolean;
  readonly isBroker: boolean;
  /** The producer of wakes and signals, which writes nothing else; no other writes them. */
  readonly isWaits: boolean;
  /** The sender of events that modules listen to: it has no epoch, its producers have. */
  readonly isEvents: boolean;
  /** Sequence of the epoch that counts now; 0: none has been seen. */
  epoch = 0;
  /** Whether that epoch began before the range, so that its first numbers are not in it. */
  isInherited = false;
  /** The last record of its epochs, which shuts all before it out; 0: none. */
  fence = 0;
  /** Its highest number in the epoch. */
  last = 0;
  /**
   * The owner of the record, for a producer that writes for others: the sender of a command, the module of a result.
   */
  lastOwner: ProducerState | undefined;
  /** The last epochs before the one that counts now that have stored something: {@link MAX_ENDED} at most. */
  ended: readonly EndedEpoch[] = [];
  holes: readonly Holes[] = [];
  /** Whether it has numbered a record. */
  hasWritten = false;
  /** The first command that it sent without having had an epoch before, and how many. */
  firstSent = 0;
  sent = 0;

  constructor(readonly name: string) {
    this.isPeople = isPeople(name);
    this.isBroker = BROKERS.has(name);
    this.isWaits = name === WAITS_SENDER;
    this.isEvents = name === EVENTS_SENDER;
  }
}

interface Known {
  readonly bytes: Buffer;
  readonly state: ProducerState;
}

/** Finds the state of a name by its bytes: a string for each record would be slow. */
export class Producers {
  readonly #byHash = new Map<number, Known[]>();
  readonly #all: ProducerState[] = [];
  readonly #hash = new ByteHash();
  #lately: Known[] = [];
  #next = 0;

  get all(): readonly ProducerState[] {
    return this.#all;
  }

  of(bytes: Buffer, from: number, to: number): ProducerState {
    // Records of few producers follow each other.
    for (const known of this.#lately) if (isSame(known.bytes, bytes, from, to)) return known.state;
    const hash = this.#hash.reset().add(wordsOf(bytes), from, to).value;
    const candidates = this.#byHash.get(hash) ?? [];
    let found = candidates.find((known) => isSame(known.bytes, bytes, from, to));
    if (found === undefined) {
      const own = Buffer.from(bytes.subarray(from, to));
      found = { bytes: own, state: new ProducerState(own.toString('utf8')) };
      this.#byHash.set(hash, [...candidates, found]);
      this.#all.push(found.state);
    }
    this.#lately[this.#next] = found;
    this.#next = (this.#next + 1) % 6;
    return found.state;
  }
}

const isSame = (name: Buffer, bytes: Buffer, from: number, to: number): boolean => {
  if (name.length !== to - from) return false;
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[from + at]) return false;
  return true;
};
