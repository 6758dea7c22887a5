import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { nextDue } from '../../schemas/schedule.js';
import type { LogIndex } from '../index/log-index.js';
import type { Appended, Draft } from '../../journal/append/draft.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { linkState } from '../../link/link-state.js';
import type { Producer } from '../../journal/producer/producer.js';
import { isOfRecord } from '../../link/pub-ack.js';
import { Waker } from '../../system/async/waker.js';
import { firedDraft } from './definition.js';
import { dueAfter, LATE_MS } from './due.js';
import { scheduleKey } from '../../schemas/firing.js';
import { readOne } from './page.js';
import type { Plan, PlannedSchedule } from './plan.js';
import { laterOf, SCHED } from '../streams/schedule-stream.js';
import { takeOverServerSchedules } from './server-schedules.js';
import { pause } from '../../system/async/pause.js';

export interface FiringsOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly plan: Plan;
  readonly index: Pick<LogIndex, 'lastFiring' | 'reachedWithin'>;
  /** Opens a producer whose first epoch shuts out every one before it. */
  readonly open: () => TaskEither<Fault, Producer>;
  /** Why the log takes nothing new, while that is so; what is due waits. */
  readonly refusal?: () => Fault | undefined;
  /** Why the account of a schedule may store no command, besides so many that it stores just now; undefined: it may. */
  readonly full?: (planned: PlannedSchedule, storing: number) => Fault | undefined;
  readonly log: (text: string) => void;
}

/** A command that is due. */
interface DueCommand {
  readonly planned: PlannedSchedule;
  readonly draft: Draft;
  /** When the schedule fires next; Infinity: never. */
  readonly nextMs: number;
}

/** The clock may be set at any time, so it is looked at so often. */
const LOOK_MS = 1_000;
const RETRY_MS = 1_000;
/** So often it is looked whether an account has room for what is due. */
const ROOM_LOOK_MS = 250;
const INDEX_WAIT_MS = 60_000;
/** Firings that are stored together. */
const PAGE = 64;

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * Fires what is due: stores the command of each schedule in the log. The record says when the schedule fires next, so
 * the log has both or neither, whatever is killed: after a doubt a new epoch shuts out what may be on its way, the
 * index is read to there, and it says how far each schedule has come.
 */
export class Firings {
  readonly #waker = new Waker();
  readonly #forget: () => void;
  readonly #startedMs = Date.now();
  #producer: Producer | undefined;
  #running: Promise<void> = Promise.resolve();
  #step: Promise<unknown> = Promise.resolve();
  #isTakenOver = false;
  #closed = false;
  #said = '';
  /** Something is due, and its account has no room for it. */
  #waitsForRoom = false;

  constructor(private readonly options: FiringsOptions) {
    const { nc, plan } = options;
    this.#forget = linkState(nc).onChange(() => {
      plan.forget();
      this.#waker.wake();
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Looks at once: there is a new schedule. */
  wake(): void {
    this.#waker.wake();
  }

  /** Resolves when what is being fired now is in the log, or is not. */
  async settled(): Promise<void> {
    await this.#step.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#forget();
    this.#waker.wake();
    await this.#producer?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        while (!this.#closed && (await this.#fire()));
        if (this.options.refusal?.() === undefined && !this.#waitsForRoom) this.#said = '';
        const { plan } = this.options;
        const leastMs = this.#waitsForRoom ? ROOM_LOOK_MS : 1;
        const waitMs = Math.min(LOOK_MS, Math.max(leastMs, plan.nextMs - Date.now()));
        if (!this.#closed) await this.#waker.wait(plan.isEmpty ? undefined : waitMs);
      } catch (error) {
        // What was under way may be in the log or not: the next epoch shuts it out, and then the log tells.
        await this.#producer?.close();
        this.#producer = undefined;
        this.options.plan.forget();
        this.#tell(toFault(error, 'LOG_UNAVAILABLE'));
        if (!this.#closed) await pause(RETRY_MS);
      }
    }
  }

  /** Once for as long as it lasts: a log that is full stays so for a while. */
  #tell({ code, message }: Fault): void {
    const text = `what is due waits: ${code}: ${message}`;
    if (!this.#closed && linkState(this.options.nc).isUp && text !== this.#said) this.options.log(text);
    this.#said = text;
  }

  /** Fires some of what is due; whether there may be more. */
  async #fire(): Promise<boolean> {
    const { nc, plan, refusal } = this.options;
    if (!linkState(nc).isUp) return false;
    if (!this.#isTakenOver) await this.#takeOver();
    await plan.read();
    if (plan.nextMs > Date.now() && plan.ended().length === 0) return false;
    const problem = refusal?.();
    if (problem !== undefined) {
      // Not by an attempt: each would open an epoch.
      this.#tell(problem);
      return false;
    }
    const producer = await this.#opened();
    // What an earlier producer stored is known by now.
    await plan.read();
    await Promise.all(plan.ended().map((planned) => this.#end(planned)));
    const due = this.#withRoom(plan.due(Date.now()));
    if (due.length === 0) return false;
    this.#step = this.#store(producer, due);
    await this.#step;
    return true;
  }

  async #store(producer: Producer, due: readonly PlannedSchedule[]): Promise<void> {
    const firings = (await Promise.all(due.map((planned) => this.#firing(planned)))).flat();
    failPoint('firing.storing');
    const drafts = firings.map(({ draft }) => draft);
    const stored = await producer.appendAll(drafts)();
    failPoint('firing.stored');
    const records = E.isLeft(stored) ? stored.left.records : stored.right.map(E.right);
    // Of a doubt the next look learns from the index.
    await this.#indexed(this.#lastOf(drafts, records));
    await Promise.all(firings.map((firing) => this.#moveOn(firing)));
  }

  /** The firing of a schedule that is due; none where it was cancelled meanwhile, or the log has its last one. */
  async #firing(planned: PlannedSchedule): Promise<readonly DueCommand[]> {
    const { nc, plan, index, log } = this.options;
    const { id, sender, timing, dueMs } = planned;
    const schedule = scheduleKey(sender, id);
    const stored = await readOne(nc, laterOf(id));
    if (stored === undefined || plan.get(id) === undefined) {
      plan.remove(id);
      return [];
    }
    const nextMs = dueAfter(timing, dueMs, this.#startedMs, Date.now());
    if (index.lastFiring(schedule) === nextMs) {
      // A clock that was set back comes to the same time again.
      await this.#moveOn({ planned, nextMs });
      return [];
    }
    const isLate = timing.kind !== 'at' && nextMs !== nextDue(timing, dueMs, dueMs);
    if (isLate || Date.now() - dueMs > LATE_MS) {
      const rest = isLate ? '; what was due in between is one firing' : '';
      log(`schedule ${schedule} was due at ${iso(dueMs)} and fires at ${iso(Date.now())}${rest}`);
    }
    const next = nextMs === Number.POSITIVE_INFINITY ? undefined : iso(nextMs);
    return [{ planned, draft: firedDraft(stored, id, next), nextMs }];
  }

  async #end(planned: PlannedSchedule): Promise<void> {
    const { plan, log } = this.options;
    const { id, sender, address } = planned;
    if (plan.isErased(planned))
      log(
        `schedule ${scheduleKey(sender, id)} is removed: the agent ${address.agent} of ${address.module} is erased`,
      );
    await this.#moveOn({ planned, nextMs: Number.POSITIVE_INFINITY });
  }

  /** Those whose accounts may store one more command; the others stay due. As many as are stored together. */
  #withRoom(due: readonly PlannedSchedule[]): readonly PlannedSchedule[] {
    const { full } = this.options;
    this.#waitsForRoom = false;
    if (full === undefined) return due.slice(0, PAGE);
    const taken: PlannedSchedule[] = [];
    const counts = new Map<string, number>();
    for (const planned of due) {
      if (taken.length === PAGE) break;
      const { sender } = planned;
      const count = counts.get(sender) ?? 0;
      const problem = full(planned, count);
      if (problem === undefined) {
        taken.push(planned);
        counts.set(sender, count + 1);
        continue;
      }
      // Without the numbers in it: they change, and it is said once.
      if (!this.#waitsForRoom)
        this.#tell(fault(problem.code, `${sender}, which made the schedule, has reached its limit`));
      this.#waitsForRoom = true;
    }
    return taken;
  }

  async #moveOn({ planned, nextMs }: Pick<DueCommand, 'planned' | 'nextMs'>): Promise<void> {
    const { plan, jsm } = this.options;
    const { id } = planned;
    if (nextMs !== Number.POSITIVE_INFINITY) {
      if (plan.get(id) !== undefined) plan.put({ ...planned, dueMs: nextMs });
      return;
    }
    await jsm.streams.purge(SCHED, { filter: laterOf(id) });
    failPoint('firing.ended');
    plan.remove(id);
  }

  /**
   * The sequence of the last one that is stored. One that no log takes is said and left out: tried again and again,
   * it would hold up all that other schedules fire. Throws what may be better the next time.
   */
  #lastOf(drafts: readonly Draft[], records: readonly Appended[]): number {
    let last = 0;
    for (const [i, record] of records.entries()) {
      if (E.isRight(record)) last = Math.max(last, record.right.seq);
      else if (!isOfRecord(record.left)) throw new FaultError(record.left);
      else {
        const { code, message } = record.left;
        this.options.log(`a firing of ${drafts[i]?.subject} is left out: ${code}: ${message}`);
      }
    }
    return last;
  }

  async #takeOver(): Promise<void> {
    const { nc, jsm, index, log, refusal } = this.options;
    await takeOverServerSchedules({
      nc,
      jsm,
      index,
      log,
      store: async (drafts) => {
        const problem = refusal?.();
        if (problem !== undefined) throw new FaultError(problem);
        const producer = await this.#opened();
        const stored = await producer.appendAll(drafts)();
        const records = E.isLeft(stored) ? stored.left.records : stored.right.map(E.right);
        await this.#indexed(this.#lastOf(drafts, records));
      },
    });
    // Who asked meanwhile may have read a part.
    this.options.plan.forget();
    this.#isTakenOver = true;
  }

  /** The producer, once the index has all that one before it stored. */
  async #opened(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const { jsm, open, plan } = this.options;
    const opened = await open()();
    if (E.isLeft(opened)) throw new FaultError(opened.left);
    // Nothing of an earlier producer comes behind this.
    const { state } = await jsm.streams.info(LOG);
    await this.#indexed(state.last_seq);
    plan.forget();
    this.#producer = opened.right;
    return opened.right;
  }

  async #indexed(seq: number): Promise<void> {
    if (await this.options.index.reachedWithin(seq, INDEX_WAIT_MS)) return;
    throw new FaultError(fault('LOG_UNAVAILABLE', `the index has not come to record ${seq}`));
  }
}
