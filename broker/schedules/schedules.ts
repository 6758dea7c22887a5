import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type MsgHdrs, type NatsConnection, nuid } from 'nats';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { Payload } from '../../schemas/payload.js';
import { isName } from '../../schemas/names.js';
import { firstDue, type Schedule, type ScheduleDetails, type SchedulePage } from '../../schemas/schedule.js';
import { linkedRequest } from '../../link/linked-request.js';
import { parsePubAck } from '../../link/pub-ack.js';
import { fitting } from '../serving/answer.js';
import { carriedHeaders, type Definition, definitionHeaders } from './definition.js';
import { readOne } from './page.js';
import { describeSchedule } from './describe-schedule.js';
import type { ScheduleRequest } from './admit-schedule.js';
import { idOfKey, scheduleOfKey } from './keyed-schedule.js';
import type { Plan } from './plan.js';
import {
  ensureSchedules,
  hasSchedules,
  laterOf,
  MAX_ACCOUNT_SCHEDULE_BYTES,
  MAX_SCHEDULE_BYTES,
  MAX_SCHEDULE_HEADER_BYTES,
  MAX_SCHEDULE_RECORD_BYTES,
  MAX_SCHEDULES,
  SCHED,
} from '../streams/schedule-stream.js';
import { SerialQueue } from '../../system/async/serial-queue.js';
import { overloaded } from '../serving/overloaded.js';
import { MAX_ACCOUNT_SCHEDULES } from '../serving/limits-in-force.js';

export interface SchedulesOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly plan: Plan;
  /** The due time behind the last firing of a schedule that the log has. */
  readonly lastFiring: (schedule: string) => number | undefined;
  /** Above it a schedule is refused. */
  readonly maxSchedules?: number;
  /** The same of one account. */
  readonly maxOfAccount?: (account: string) => number;
  /** There is a new schedule. */
  readonly onAdded: () => void;
  /** Resolves when what is being fired now is in the log, or is not. */
  readonly settled: () => Promise<void>;
}

const PUBLISH_TIMEOUT_MS = 10_000;
/** Requests that wait for their turn; each holds its payload. */
const MAX_WAITING = 1_000;
/** An account that has its share can try again then: its schedules end one by one. */
const FULL_RETRY_MS = 5_000;
/** Schedules in one answer. */
const PAGE = 256;

/** Takes schedules on, shows and cancels them. What fires them is Firings. */
export class Schedules {
  #ensured: Promise<StreamInfo> | undefined;
  readonly #adding = new SerialQueue();

  constructor(private readonly options: SchedulesOptions) {}

  /** Takes a schedule on; SCHEDULES_FULL above the limit. */
  add(request: ScheduleRequest): TaskEither<Fault, Schedule> {
    return () => {
      if (this.#adding.length >= MAX_WAITING) {
        const text = `${MAX_WAITING} schedules wait to be stored, and no more may`;
        return Promise.resolve(E.left(overloaded(text)));
      }
      // One after the other: two that look at the limit together could both find the last place.
      return this.#adding.run(() => this.#add(request));
    };
  }

  /** Schedules from a place in their stream on, as many as one answer holds. */
  list(from: number): TaskEither<Fault, SchedulePage> {
    return TE.tryCatch(
      async () => {
        const { plan } = this.options;
        await plan.read();
        const page = plan
          .all()
          .filter(({ seq }) => seq >= from)
          .slice(0, PAGE);
        const last = page.at(-1);
        return { schedules: page.map(describeSchedule), next: last === undefined ? null : last.seq + 1 };
      },
      (error) => toFault(error, 'LOG_UNAVAILABLE'),
    );
  }

  /** How many will fire, by account; none where the stream is not read yet. */
  ofAccounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { sender } of this.options.plan.all()) counts.set(sender, (counts.get(sender) ?? 0) + 1);
    return counts;
  }

  show(id: string): TaskEither<Fault, ScheduleDetails> {
    return async () => {
      const { nc, plan } = this.options;
      try {
        await plan.read();
        const planned = plan.all().find((each) => each.id === id);
        const message = planned === undefined ? undefined : await readOne(nc, laterOf(id));
        if (planned === undefined || message === undefined) return E.left(unknown(id));
        const headers = carriedHeaders(message.header);
        const { form, json } = new Payload(message.data);
        const details = { ...describeSchedule(planned), headers, form, dataBytes: message.data.length };
        const whole: ScheduleDetails = { ...details, payload: json };
        return E.right(fitting(nc, whole, () => ({ ...details, payload: null })));
      } catch (error) {
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      }
    };
  }

  /** Ends a schedule. What it has fired is in the log when this resolves. SCHEDULE_UNKNOWN when there is none. */
  cancel(id: string): TaskEither<Fault, { readonly id: string; readonly cancelled: true }> {
    return async () => {
      const { jsm, plan, settled } = this.options;
      if (!isName(id)) return E.left(unknown(id));
      try {
        if (!(await hasSchedules(jsm))) return E.left(unknown(id));
        const { purged } = await jsm.streams.purge(SCHED, { filter: laterOf(id) });
        plan.remove(id);
        await settled();
        return purged === 0 ? E.left(unknown(id)) : E.right({ id, cancelled: true });
      } catch (error) {
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      }
    };
  }

  async #add(request: ScheduleRequest): Promise<E.Either<Fault, Schedule>> {
    const { address, sender, timing, data, headers, key } = request;
    const { nc, plan, onAdded } = this.options;
    const id = key === undefined ? nuid.next() : idOfKey(sender, key);
    const createdMs = Date.now();
    const definition: Definition = { id, address, sender, timing, createdMs };
    const header = definitionHeaders(definition, headers);
    const headerBytes = (header as MsgHdrs & { encode(): Uint8Array }).encode().length;
    if (headerBytes > MAX_SCHEDULE_HEADER_BYTES) {
      const text = `the headers of a schedule have ${headerBytes} bytes, above ${MAX_SCHEDULE_HEADER_BYTES}`;
      return E.left(fault('HEADERS_TOO_LARGE', text));
    }
    const bytes = data.length + headerBytes;
    if (bytes > MAX_SCHEDULE_RECORD_BYTES) {
      return E.left(fault('PAYLOAD_TOO_LARGE', `payload and headers of a schedule have ${bytes} bytes`));
    }
    try {
      await this.#ensure();
      await plan.read();
      const before = key === undefined ? E.right(undefined) : await scheduleOfKey(this.options, request, key);
      if (E.isLeft(before)) return before;
      if (before.right !== undefined) return E.right(describeSchedule(before.right));
    } catch (error) {
      return E.left(toFault(error, 'LOG_UNAVAILABLE'));
    }
    const full = this.#full(sender, bytes);
    if (full !== undefined) return E.left(full);
    try {
      const options = { headers: header, timeout: PUBLISH_TIMEOUT_MS };
      const stored = parsePubAck(await linkedRequest(nc, laterOf(id), data, options));
      if (E.isLeft(stored)) return stored;
      const planned = { ...definition, seq: stored.right.seq, bytes, dueMs: firstDue(timing, createdMs) };
      plan.put(planned);
      onAdded();
      return E.right(describeSchedule(planned));
    } catch (error) {
      // It may be there, and then it fires.
      plan.forget();
      const text = `whether schedule ${id} was stored is not known: ${(error as Error).message}`;
      return E.left(fault('LOG_UNCERTAIN', text));
    }
  }

  #ensure(): Promise<StreamInfo> {
    this.#ensured ??= ensureSchedules(this.options.jsm).catch((error: unknown) => {
      // What fails now may work for the next one.
      this.#ensured = undefined;
      throw error;
    });
    return this.#ensured;
  }

  #full(account: string, bytes: number): Fault | undefined {
    const { plan, maxSchedules = MAX_SCHEDULES } = this.options;
    const maxOfAccount = this.options.maxOfAccount?.(account) ?? MAX_ACCOUNT_SCHEDULES;
    const all = plan.share;
    if (all.schedules >= maxSchedules) {
      return fault('SCHEDULES_FULL', `there are ${maxSchedules} schedules; cancel one`);
    }
    if (all.bytes + bytes > MAX_SCHEDULE_BYTES) {
      const text = `the schedules have ${all.bytes} bytes of ${MAX_SCHEDULE_BYTES}; cancel one`;
      return fault('SCHEDULES_FULL', text);
    }
    const own = plan.shareOf(account);
    if (own.schedules < maxOfAccount && own.bytes + bytes <= MAX_ACCOUNT_SCHEDULE_BYTES) return undefined;
    const text =
      `the account ${account} has ${own.schedules} schedules with ${own.bytes} bytes, and the account may have ${maxOfAccount} (limit schedules) ` +
      `with ${MAX_ACCOUNT_SCHEDULE_BYTES}; cancel one, or try again when some have fired`;
    return { ...fault('SCHEDULES_FULL', text), retryAfterMs: FULL_RETRY_MS };
  }
}

const unknown = (id: string): Fault =>
  fault(
    'SCHEDULE_UNKNOWN',
    `there is no schedule ${JSON.stringify(id)}; \`tallystick schedule list\` lists them`,
  );
