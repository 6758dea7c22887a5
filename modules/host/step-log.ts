import { createHash } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import type { Draft, Settle } from '../../journal/append/draft.js';
import type { CallsReply, StepReply } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { failPoint } from '../../system/processes/fail-point.js';

/** Which step: the command whose handler makes it, and its number among the handler's calls and steps. */
export interface StepPlace {
  readonly cause: number;
  readonly call: number;
}

/** What the broker knows of the log. */
export interface RecordedSteps {
  /** Of the handler of a command. The log is read up to this sequence first. */
  readonly calls: (cause: number, fromSeq: number) => Promise<CallsReply>;
  readonly at: (place: StepPlace) => Promise<StepReply>;
}

/** A session of the module: one epoch. */
interface StepSession {
  readonly logId: string;
  readonly submit: (draft: Draft, settle: Settle) => void;
  /** Resolve the records of the epoch that have no acknowledgement: they may be stored or not. */
  readonly unknown: Set<() => void>;
}

const DIGITS = 16;

/** The key of a step for the outside: no other step of any log has it. */
export const stepKey = (logId: string, { cause, call }: StepPlace): string =>
  `tally-${createHash('sha256').update(logId).digest('hex').slice(0, DIGITS)}-${cause}-${call}`;

/** The run of the handler has ended: its result may be in the log. */
const over = (): Fault => fault('HANDLER_TIMEOUT', 'the handler had no time left for the step');

/**
 * Stores steps, each under the epoch of the session that lasts: the fence of that epoch makes the server refuse a step
 * of a process that was replaced. A handler outlives a session. So a step whose record is uncertain is looked up in the
 * log when the next epoch is open, which decides what the one before has stored.
 */
export class StepLog {
  #session: StepSession | undefined;
  #waiting: (() => void)[] = [];
  /** Steps that are being stored, by their cause. */
  readonly #open = new Map<number, Set<Promise<unknown>>>();
  /** The highest sequence that one was stored at. */
  #stored = 0;

  constructor(private readonly recorded: RecordedSteps) {}

  /** A session has begun; the returned function says that it is over. */
  begin(logId: string, submit: StepSession['submit']): () => void {
    const session: StepSession = { logId, submit, unknown: new Set() };
    this.#session = session;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
    return () => {
      if (this.#session === session) this.#session = undefined;
      for (const resolve of session.unknown) resolve();
    };
  }

  async key(place: StepPlace): Promise<string> {
    return stepKey((await this.#current()).logId, place);
  }

  /** What the log has of a command's handler; with all that this process has stored. */
  async calls(cause: number): Promise<CallsReply> {
    await Promise.all(this.#open.get(cause) ?? []);
    return this.recorded.calls(cause, this.#stored);
  }

  /** The highest number that the log has of a command's handler. */
  async last(cause: number): Promise<number> {
    return (await this.calls(cause)).calls;
  }

  at(place: StepPlace): Promise<StepReply> {
    return this.recorded.at(place);
  }

  /** Stores a step; resolves when the log has it. `isOver`: the run has ended, so it may not be stored any more. */
  store(place: StepPlace, draft: Draft, isOver: () => boolean): Promise<E.Either<Fault, number>> {
    const storing = this.#store(place, draft, isOver);
    const open = this.#open.get(place.cause) ?? new Set();
    this.#open.set(place.cause, open.add(storing));
    void storing.finally(() => {
      open.delete(storing);
      if (open.size === 0) this.#open.delete(place.cause);
    });
    return storing;
  }

  async #store(place: StepPlace, draft: Draft, isOver: () => boolean): Promise<E.Either<Fault, number>> {
    for (;;) {
      const session = await this.#current();
      if (isOver()) return E.left(over());
      const seq = await this.#append(session, draft);
      if (seq !== undefined) {
        this.#stored = Math.max(this.#stored, seq);
        failPoint('step.stored');
        return E.right(seq);
      }
      await this.#current();
      const found = await this.recorded.at(place);
      if (found.seq !== undefined) return E.right(found.seq);
    }
  }

  /** The sequence of the record; undefined: only the next epoch can tell. */
  #append(session: StepSession, draft: Draft): Promise<number | undefined> {
    return new Promise((resolve) => {
      const unknown = (): void => resolve(undefined);
      session.unknown.add(unknown);
      session.submit(draft, (stored) => {
        // A refusal ends the session, which says so.
        if (E.isLeft(stored)) return;
        session.unknown.delete(unknown);
        resolve(stored.right.seq);
      });
      failPoint('step.appended');
    });
  }

  async #current(): Promise<StepSession> {
    while (this.#session === undefined) await new Promise<void>((resume) => this.#waiting.push(resume));
    return this.#session;
  }
}
