import type { JetStreamManager } from '@nats-io/jetstream';
import { type Fault, fault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { untilGrid } from '../../system/async/grid.js';
import { formatBytes } from '../../text/bytes.js';

const MIB = 1024 * 1024;

const SHARE = 0.05;
/** A few records of the largest size: the result of a command that was taken has room. */
const MIN_RESERVE_BYTES = 2 * MIB;
const MAX_RESERVE_BYTES = 1024 * MIB;

/** Room that a start makes for its epochs, and for copies that a crash left out, in a log that is full to its limit. */
export const START_ROOM_BYTES = MIB;

/** What a command that is open may still cost: its result with a few events. */
const OUTCOME_BYTES = 1_024;

/** Of the limit of the log, what no new command gets; bytes. */
export const reserveOf = (maxBytes: number): number =>
  Math.min(MAX_RESERVE_BYTES, Math.max(MIN_RESERVE_BYTES, Math.floor(maxBytes * SHARE)));

/** The log as it was seen, and what has been taken since. */
export interface LogUse {
  /** In the log, bytes. */
  readonly bytes: number;
  /** Limit of the log, bytes; below 1: none. */
  readonly maxBytes: number;
  /** Taken for the log, and not in `bytes` as far as is known. */
  readonly comingBytes: number;
  /** Commands that have no result yet. */
  readonly openCommands: number;
}

/** Bytes that new commands may take; negative where the reserve is needed. */
export const roomOf = ({ bytes, maxBytes, comingBytes, openCommands }: LogUse): number =>
  maxBytes < 1
    ? Number.POSITIVE_INFINITY
    : maxBytes - reserveOf(maxBytes) - bytes - comingBytes - openCommands * OUTCOME_BYTES;

/** Why new commands find no room, part by part, and what to do. */
export const fullText = ({ bytes, maxBytes, comingBytes, openCommands }: LogUse): string => {
  const commands = openCommands === 1 ? '1 open command' : `${openCommands} open commands`;
  const parts = [
    `records take ${formatBytes(bytes)}`,
    ...(comingBytes > 0 ? [`${formatBytes(comingBytes)} are on their way`] : []),
    ...(openCommands > 0
      ? [`${formatBytes(openCommands * OUTCOME_BYTES)} are kept for the results of ${commands}`]
      : []),
    `${formatBytes(reserveOf(maxBytes))} are the reserve, which the broker keeps to finish, stop and start`,
  ];
  const wait =
    openCommands > 0
      ? '; or wait for the results: `tallystick conversation list` shows the open commands'
      : '';
  return (
    `no new command has room in the log of ${formatBytes(maxBytes)}: ${parts.join(', ')}. ` +
    `Start the broker with a larger --max-bytes${wait}`
  );
};

export interface LogSpaceOptions {
  readonly jsm: JetStreamManager;
  /** What the broker has taken for the log, and how much of that the log has answered; bytes since its start. */
  readonly taken: () => { readonly takenBytes: number; readonly settledBytes: number };
  readonly openCommands: () => number;
  readonly say: (text: string) => void;
}

/** So much can come into a log in a millisecond, from those who do not ask the broker. */
const BYTES_PER_MS = 200 * 1024;
const MIN_INTERVAL_MS = 20;
const MAX_INTERVAL_MS = 10_000;
const FULL_INTERVAL_MS = 250;

/**
 * Keeps a part of the log for what was accepted: results, copies, dead letters' answers, epochs. New commands are
 * refused before the server would refuse everything, so a full log still answers, drains, starts and stops. It looks
 * the more often the less room there is.
 */
export class LogSpace {
  #use: LogUse | undefined;
  /** What was settled when the log was asked: all of it is in the answer. */
  #settledBytes = 0;
  #wasFull = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: LogSpaceOptions) {}

  /** Limit of the log, bytes; infinite: none, or it is not known yet. */
  get maxBytes(): number {
    const { maxBytes = 0 } = this.#use ?? {};
    return maxBytes < 1 ? Number.POSITIVE_INFINITY : maxBytes;
  }

  /** Why no new command is taken, while that is so. */
  get refusal(): Fault | undefined {
    const use = this.#now();
    // A little room that comes and goes is none.
    if (use === undefined || roomOf(use) > (this.#wasFull ? reserveOf(use.maxBytes) / 4 : 0))
      return undefined;
    return fault('LOG_FULL', fullText(use));
  }

  /** Looks now, and from then on by itself. */
  async start(): Promise<void> {
    await this.#look();
    this.#again();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #now(): LogUse | undefined {
    const { taken, openCommands } = this.options;
    if (this.#use === undefined) return undefined;
    const comingBytes = taken().takenBytes - this.#settledBytes;
    return { ...this.#use, comingBytes, openCommands: openCommands() };
  }

  #again(): void {
    if (this.#closed) return;
    const use = this.#now();
    const room = use === undefined ? 0 : roomOf(use);
    const fillsMs = room / BYTES_PER_MS;
    const waitMs =
      fillsMs > MAX_INTERVAL_MS ? untilGrid(MAX_INTERVAL_MS) : Math.max(MIN_INTERVAL_MS, fillsMs);
    // A full log waits for an operator to make room, so it is not urgent.
    const pauseMs = room > 0 ? waitMs : FULL_INTERVAL_MS;
    this.#timer = setTimeout(() => void this.#look().then(() => this.#again()), pauseMs).unref();
  }

  async #look(): Promise<void> {
    const { settledBytes } = this.options.taken();
    try {
      const { state, config } = await this.options.jsm.streams.info(LOG);
      this.#use = { bytes: state.bytes, maxBytes: config.max_bytes, comingBytes: 0, openCommands: 0 };
      this.#settledBytes = settledBytes;
    } catch {
      // A server that does not answer takes no commands either.
      return;
    }
    const full = this.refusal;
    if (full !== undefined && !this.#wasFull) this.options.say(`LOG_FULL: ${full.message}`);
    if (full === undefined && this.#wasFull) this.options.say('the log has room again: commands are taken');
    this.#wasFull = full !== undefined;
  }
}
