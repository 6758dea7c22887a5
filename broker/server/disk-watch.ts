import { statfsSync } from 'node:fs';
import { type Fault, fault } from '../../schemas/errors.js';
import { untilGrid } from '../../system/async/grid.js';
import { formatBytes } from '../../text/bytes.js';

export interface DiskWatchOptions {
  /** On the disk that the log is on. */
  readonly dir: string;
  readonly say: (text: string) => void;
  /** The server could not write, and there is room again: it writes nothing more until it restarts. */
  readonly restartServer: () => void;
}

/** Below it calls are refused: what is under way, other streams and snapshots need some to come to an end. */
const RESERVE_BYTES = 8 * 1024 * 1024;
/** A little that comes and goes is no room. */
const ROOM_BYTES = 2 * RESERVE_BYTES;
/** So little may have been none between two looks. */
const NOTHING_BYTES = 1024 * 1024;
const MIN_INTERVAL_MS = 250;
const MAX_INTERVAL_MS = 5_000;
/** No disk that we know fills faster. */
const FILLS_BYTES_PER_MS = 4 * 1024 * 1024;

/** What nats-server says when a write failed. */
const FAILED_WRITE = /no space left|critical write error|disk quota exceeded/i;

/**
 * Looks after the room on the disk of an embedded server. nats-server 2.15.1 answers nothing any more for a stream
 * that it could not write, also when there is room again, until it restarts; so calls are refused a little before
 * that, by name, and the server is restarted when there is room again.
 */
export class DiskWatch {
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #left = 0;
  #isFull = false;
  #hasFailed = false;

  constructor(private readonly options: DiskWatchOptions) {
    this.#again();
  }

  /** Why no call is taken, while that is so. */
  get refusal(): Fault | undefined {
    if (!this.#isFull) return undefined;
    const { dir } = this.options;
    const text =
      `the disk of ${dir} has ${formatBytes(this.#left)} left: make room until ${formatBytes(ROOM_BYTES)} are free, ` +
      'and the broker continues by itself';
    return fault('LOG_FULL', text);
  }

  /** A line that the server wrote. */
  heard(line: string): void {
    if (this.#hasFailed || !FAILED_WRITE.test(line)) return;
    this.#hasFailed = true;
    this.#again();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** A disk with much room is looked at seldom: it has some left at the next look, however fast it fills. */
  #again(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const isWell = !this.#isFull && !this.#hasFailed;
    const roomMs = isWell ? (this.#left - ROOM_BYTES) / FILLS_BYTES_PER_MS : 0;
    const pauseMs = roomMs > MAX_INTERVAL_MS ? untilGrid(MAX_INTERVAL_MS) : Math.max(MIN_INTERVAL_MS, roomMs);
    this.#timer = setTimeout(() => {
      this.#look();
      this.#again();
    }, pauseMs).unref();
  }

  #look(): void {
    const { dir, say, restartServer } = this.options;
    try {
      const { bavail, bsize } = statfsSync(dir);
      this.#left = bavail * bsize;
    } catch {
      // A directory that is gone is told by others.
      return;
    }
    if (this.#left < NOTHING_BYTES) this.#hasFailed = true;
    if (!this.#isFull && this.#left < RESERVE_BYTES) {
      this.#isFull = true;
      say(`LOG_FULL: ${this.refusal?.message}`);
    }
    if (this.#left < ROOM_BYTES) return;
    if (this.#isFull) say(`the disk has ${formatBytes(this.#left)} again: calls are taken`);
    this.#isFull = false;
    if (!this.#hasFailed) return;
    this.#hasFailed = false;
    say('nats-server could not write because its disk was full, and is restarted');
    restartServer();
  }
}
