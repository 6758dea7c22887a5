import { Worker } from 'node:worker_threads';
import type { Msg, NatsConnection } from 'nats';
import { Seldom } from '../../system/lines/seldom.js';
import { BatchCredit } from './batch-credit.js';
import { connectionNumber } from './connection-of.js';
import { Incoming } from './incoming.js';
import type {
  Arrival,
  Batch,
  FromThread,
  HeldRequests,
  ThreadData,
  ThreadOptions,
  ToThread,
} from './intake-messages.js';

const PROGRAM = new URL('./intake-worker.js', import.meta.url);
const RESTART_MS = 100;
/**
 * The thread is told of released requests once there are so many, of so many bytes, or after so long: each message
 * wakes it up. All are far below what the thread lets one connection have.
 */
const TOLD = { requests: 256, bytes: 16 * 1024, afterMs: 50 };

/** For so long requests of a batch are taken before the connections are read again. */
const SLICE_MS = 2;
const LOOK_EACH = 16;

/** A batch, and what is left of it. */
interface BatchTaking {
  readonly batch: Batch;
  readonly worker: Worker;
  next: number;
  /** Where the bytes of the next one begin, if they are not its own. */
  at: number;
}

/** A request that came in. */
export interface Taken {
  readonly msg: Msg;
  /** Account, number and start of the connection: `guest/10@2026-11-30T00:18:51.639821263Z`. */
  readonly connection: string;
  /** It came without its payload, since the broker holds too much: it can only be refused. */
  readonly isLeftOut: boolean;
  /** Is called once, when the request waits no more. */
  readonly release: () => void;
}

/** Where people's requests come from. */
export type People = Pick<Intake, 'subscribe'>;

export interface IntakeOptions extends ThreadOptions {
  /** Answers go over it: one that is sent over a connection in the moment of its loss is gone. */
  readonly nc: NatsConnection;
  readonly log: (text: string) => void;
  /** Has the server close a connection, by its number. */
  readonly end: (connection: string) => Promise<void>;
  /** Whether the server runs: what is lost with it is told elsewhere. */
  readonly isLinked: () => boolean;
}

interface SubjectReading {
  readonly subject: string;
  readonly callback: (taken: Taken) => void;
}

/**
 * Reads what people send, in a thread and over a connection that do nothing else. So large requests that come fast
 * are taken off the server at once, and refused where the broker has no room for them.
 */
export class Intake {
  readonly #readings = new Map<number, SubjectReading>();
  readonly #seldom: Seldom;
  readonly #flushes: (() => void)[] = [];
  /** Flushes that are over once the batches are taken. */
  readonly #flushedBehind: (() => void)[] = [];
  /** The first of them is being taken. */
  readonly #batches: BatchTaking[] = [];
  #worker: Worker | undefined;
  #credit = new BatchCredit();
  /** What the thread does not know yet, by connection, and its sum. */
  #released = new Map<string, { requests: number; bytes: number }>();
  #untold = { requests: 0, bytes: 0 };
  #telling: NodeJS.Timeout | undefined;
  #next = 1;
  #modules: readonly string[] | undefined;
  #onCut: (connection: string, why: string) => void = () => undefined;
  #isClosed = false;

  private constructor(private readonly options: IntakeOptions) {
    this.#seldom = new Seldom(options.log);
  }

  /** Connects; rejects when that fails. */
  static async open(options: IntakeOptions): Promise<Intake> {
    const intake = new Intake(options);
    try {
      await intake.#start();
    } catch (error) {
      await intake.close();
      throw error;
    }
    return intake;
  }

  subscribe(subject: string, callback: (taken: Taken) => void): { readonly unsubscribe: () => void } {
    const id = this.#next++;
    this.#readings.set(id, { subject, callback });
    this.#tell({ kind: 'subscribe', id, subject });
    return {
      unsubscribe: () => {
        this.#readings.delete(id);
        this.#tell({ kind: 'unsubscribe', id });
      },
    };
  }

  /** Tells the thread which modules there are, now and whenever that has changed. */
  knows(names: readonly string[]): void {
    this.#modules = names;
    this.#tell({ kind: 'modules', names });
  }

  /** Hears of each connection that the thread cuts off, with the reason. */
  onCut(hear: (connection: string, why: string) => void): void {
    this.#onCut = hear;
  }

  /** Has the server close a connection. What it sent and this has not taken yet is forgotten. */
  cut(connection: string): void {
    this.#tell({ kind: 'shut', connection });
    void this.#end(connection);
  }

  /** Resolves when the server knows of all subscriptions. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushes.push(resolve);
      this.#tell({ kind: 'flush' });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forget();
    await this.#worker?.terminate();
  }

  #tell(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #start(): Promise<void> {
    const { url, seed, log, isLinked } = this.options;
    this.#credit = new BatchCredit();
    const workerData: ThreadData = { url, seed, credit: this.#credit.shared };
    const worker = new Worker(PROGRAM, { workerData });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'batch') return this.#arrived(message, worker);
        if (message.kind === 'opened') return resolve();
        if (message.kind === 'flushed') return this.#flushed(this.#flushes.shift());
        if (message.kind === 'failed') return reject(new Error(message.text));
        if (message.kind === 'floods') {
          this.#onCut(message.connection, `it sent on after too many ${message.why}`);
          return void this.#end(message.connection);
        }
        if (isLinked())
          this.#seldom.say(
            'the server closed the connection for what people send: what waited in it has no answer',
          );
      });
      worker.on('error', (error) => {
        log(`the thread that reads what people send failed: ${error.stack ?? error.message}`);
        reject(error);
      });
      worker.on('exit', () => {
        for (const flushed of this.#flushes.splice(0)) flushed();
        this.#ended();
      });
    });
  }

  /** Behind what arrived before. */
  #flushed(flushed: (() => void) | undefined): void {
    if (flushed === undefined) return;
    if (this.#batches.length > 0) this.#flushedBehind.push(flushed);
    else flushed();
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#forget();
    setTimeout(() => {
      if (this.#isClosed) return;
      this.#start().catch(() => undefined);
      for (const [id, { subject }] of this.#readings) this.#tell({ kind: 'subscribe', id, subject });
      if (this.#modules !== undefined) this.knows(this.#modules);
    }, RESTART_MS);
  }

  async #end(connection: string): Promise<void> {
    const number = connectionNumber(connection);
    const text = `connection ${number} of ${connection.slice(0, connection.indexOf('/'))} sends on although it is refused`;
    try {
      await this.options.end(number);
      this.#seldom.say(`${text}: the server closed it`);
    } catch (error) {
      this.#seldom.say(`${text}, and the server did not close it: ${(error as Error).message}`);
      this.#tell({ kind: 'open', connection });
    }
  }

  #arrived(batch: Batch, worker: Worker): void {
    this.#batches.push({ batch, worker, next: 0, at: 0 });
    if (this.#batches.length === 1) this.#takeBatches();
  }

  /** In slices: what the log answers meanwhile, and so each call of others, would wait for a whole batch otherwise. */
  #takeBatches(): void {
    const until = performance.now() + SLICE_MS;
    for (let first = this.#batches[0]; first !== undefined; first = this.#batches[0]) {
      if (!this.#takeBatch(first, until)) return void setImmediate(() => this.#takeBatches());
      this.#batches.shift();
      const credit = this.#credit;
      // In the next turn: a port hands over what arrives while it hands over, and connections would wait for all of it.
      setImmediate(() => {
        if (credit.done() && credit === this.#credit) this.#tellReleased();
      });
    }
    for (const flushed of this.#flushedBehind.splice(0)) flushed();
  }

  /** Whether the whole of it was taken. */
  #takeBatch(taking: BatchTaking, until: number): boolean {
    const { batch, worker } = taking;
    const { arrivals, bytes } = batch;
    while (taking.next < arrivals.length) {
      const arrival = arrivals[taking.next] as Arrival;
      taking.next += 1;
      const { id, connection, weight, isLeftOut, size } = arrival;
      const isOwn = arrival.own !== undefined;
      const its = isOwn ? new Uint8Array(arrival.own) : new Uint8Array(bytes, taking.at, size);
      if (!isOwn) taking.at += size;
      const release = (): void => {
        if (worker === this.#worker) this.#release(connection, weight);
      };
      const reading = this.#readings.get(id);
      const msg = new Incoming(arrival, its, this.options.nc);
      if (reading === undefined) release();
      else reading.callback({ msg, connection, isLeftOut, release });
      // The clock is not looked at for each.
      if (taking.next % LOOK_EACH === 0 && performance.now() > until) return taking.next === arrivals.length;
    }
    return true;
  }

  #release(connection: string, bytes: number): void {
    const held = this.#released.get(connection) ?? { requests: 0, bytes: 0 };
    held.requests += 1;
    held.bytes += bytes;
    this.#released.set(connection, held);
    this.#untold.requests += 1;
    this.#untold.bytes += bytes;
    if (this.#untold.requests >= TOLD.requests || this.#untold.bytes >= TOLD.bytes) this.#tellReleased();
    else this.#telling ??= setTimeout(() => this.#tellReleased(), TOLD.afterMs);
  }

  #tellReleased(): void {
    const held: readonly HeldRequests[] = [...this.#released].map(([connection, count]) => ({
      connection,
      ...count,
    }));
    this.#forget();
    this.#tell({ kind: 'released', held });
  }

  #forget(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#released = new Map();
    this.#untold = { requests: 0, bytes: 0 };
  }
}
