import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { type Definition, readDefinition } from './definition.js';
import { dueOf } from './due.js';
import { scheduleKey } from '../../schemas/firing.js';
import { readPage, type StreamMessage } from './page.js';
import { ALL_LATER, hasSchedules } from '../streams/schedule-stream.js';

/** A schedule, and when it fires next. */
export interface PlannedSchedule extends Definition {
  /** Where it lies in its stream. */
  readonly seq: number;
  /** Of payload and headers. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly dueMs: number;
}

export interface PlanOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** The next time that the last firing of a schedule in the log names; see LogIndex. */
  readonly lastFiring: (schedule: string) => number | undefined;
  /** Whether the key of an agent is destroyed: its schedules fire no more. */
  readonly isErased?: (module: string, agent: string) => boolean;
  readonly log: (text: string) => void;
  readonly now?: () => number;
}

const NEVER = Number.POSITIVE_INFINITY;

export interface Share {
  readonly schedules: number;
  readonly bytes: number;
}

/**
 * All schedules in memory, without what their commands hold. It is read from their stream, and the time at which each
 * is due from the log: what it shows as next is what fires next.
 */
export class Plan {
  #all = new Map<string, PlannedSchedule>();
  #reading: Promise<void> | undefined;
  #isRead = false;
  #version = 0;
  /** What was added and removed while the stream was read. */
  readonly #added = new Map<string, PlannedSchedule>();
  readonly #removed = new Set<string>();

  constructor(private readonly options: PlanOptions) {}

  /** Reads the stream, unless that was done. Rejects when it cannot be read. */
  read(): Promise<void> {
    if (this.#isRead) return Promise.resolve();
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** The stream may have something that the plan has not: it is read again. */
  forget(): void {
    this.#isRead = false;
    this.#version += 1;
  }

  get(id: string): PlannedSchedule | undefined {
    return this.#all.get(id);
  }

  /** Those that will fire, in the order in which they were made. */
  all(): readonly PlannedSchedule[] {
    return [...this.#all.values()].filter((planned) => !this.#isOver(planned)).sort((a, b) => a.seq - b.seq);
  }

  /** Those that fire no more, and are to be removed. */
  ended(): readonly PlannedSchedule[] {
    return [...this.#all.values()].filter((planned) => this.#isOver(planned));
  }

  /** Those that are due at a time, the first ones first. */
  due(nowMs: number): readonly PlannedSchedule[] {
    const due = [...this.#all.values()].filter(
      (planned) => planned.dueMs <= nowMs && !this.isErased(planned),
    );
    return due.sort((a, b) => a.dueMs - b.dueMs);
  }

  /** When the next one is due; Infinity: none. */
  get nextMs(): number {
    let next = NEVER;
    for (const { dueMs } of this.#all.values()) next = Math.min(next, dueMs);
    return next;
  }

  /** Whether the stream was read and has no schedule: nothing is due until one is added. */
  get isEmpty(): boolean {
    return this.#isRead && this.#all.size === 0;
  }

  get share(): Share {
    return this.#shareOf(() => true);
  }

  shareOf(account: string): Share {
    return this.#shareOf(({ sender }) => sender === account);
  }

  isErased({ address: { module, agent } }: PlannedSchedule): boolean {
    return agent !== undefined && this.options.isErased?.(module, agent) === true;
  }

  put(planned: PlannedSchedule): void {
    this.#all.set(planned.id, planned);
    this.#removed.delete(planned.id);
    if (this.#reading !== undefined) this.#added.set(planned.id, planned);
  }

  remove(id: string): void {
    this.#all.delete(id);
    this.#added.delete(id);
    if (this.#reading !== undefined) this.#removed.add(id);
  }

  #isOver(planned: PlannedSchedule): boolean {
    return planned.dueMs === NEVER || this.isErased(planned);
  }

  #shareOf(counts: (planned: PlannedSchedule) => boolean): Share {
    let [schedules, bytes] = [0, 0];
    for (const planned of this.#all.values()) {
      if (!counts(planned)) continue;
      schedules += 1;
      bytes += planned.bytes;
    }
    return { schedules, bytes };
  }

  async #read(): Promise<void> {
    const { nc, jsm } = this.options;
    const version = this.#version;
    this.#added.clear();
    this.#removed.clear();
    const found = new Map<string, PlannedSchedule>();
    if (await hasSchedules(jsm)) {
      for (let from = 1; ; ) {
        const page = await readPage(nc, ALL_LATER, from);
        for (const stored of page) this.#take(stored, found);
        const last = page.at(-1);
        if (last === undefined) break;
        from = last.seq + 1;
      }
    }
    for (const id of this.#removed) found.delete(id);
    for (const [id, planned] of this.#added) found.set(id, planned);
    this.#all = found;
    this.#isRead = version === this.#version;
  }

  #take(stored: StreamMessage, found: Map<string, PlannedSchedule>): void {
    const { lastFiring, log, now = Date.now } = this.options;
    const definition = readDefinition(stored);
    if (definition === undefined) {
      log(
        `message ${stored.seq} on ${stored.subject} is no schedule that this broker can read; it stays, and fires nothing`,
      );
      return;
    }
    const { id, sender, timing, createdMs } = definition;
    const dueMs = dueOf(timing, createdMs, lastFiring(scheduleKey(sender, id)), now());
    found.set(id, { ...definition, seq: stored.seq, bytes: stored.bytes, dueMs });
  }
}
