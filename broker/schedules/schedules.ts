import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type Msg, type MsgHdrs, type NatsConnection, nuid } from 'nats';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { jsonOrText } from '../../schemas/json.js';
import { isName } from '../../schemas/names.js';
import {
  firstDue,
  type Schedule,
  type ScheduleDetails,
  type SchedulePage,
  type Timing,
} from '../../schemas/schedule.js';
import { type Address, splitSubject, storedCommandSubject } from '../../schemas/subjects.js';
import { linkedRequest } from '../journal/linked-request.js';
import { fitting } from '../serving/answer.js';
import { parsePubAck } from '../journal/pub-ack.js';
import { AccountShares } from './account-shares.js';
import { scheduleKey } from './firing.js';
import { readPage, type Stored } from './page.js';
import {
  ALL_SCHEDULES,
  COMMAND_HEADER,
  ensureSchedules,
  firedOf,
  hasSchedules,
  MAX_SCHEDULE_BYTES,
  MAX_SCHEDULE_HEADER_BYTES,
  MAX_SCHEDULE_RECORD_BYTES,
  MAX_SCHEDULES,
  SCHED,
  scheduleOf,
} from './stream.js';

/** A command that is to be sent later. It has been admitted. */
export interface ScheduleRequest {
  readonly address: Address;
  readonly sender: string;
  readonly timing: Timing;
  readonly data: Uint8Array;
  /** What its commands bear beside the schedule's id. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface SchedulesOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** The due time behind the last firing of a schedule that the log has; see LogIndex. */
  readonly lastFiring: (schedule: string) => number | undefined;
  /** Above it a schedule is refused. */
  readonly maxSchedules?: number;
  /** The same of one account. */
  readonly maxOfAccount?: number;
  /** The stream is there from here on. */
  readonly onStream: () => void;
}

/** The server's headers of a schedule. */
const PATTERN = 'Nats-Schedule';
const TARGET = 'Nats-Schedule-Target';
const ZONE = 'Nats-Schedule-Time-Zone';

const PUBLISH_TIMEOUT_MS = 10_000;
/** Requests that wait for their turn; each holds its payload. */
const MAX_WAITING = 1_000;
const RETRY_AFTER_MS = 1_000;

// Codes of nats-server's errors.json.
const INVALID: ReadonlySet<number> = new Set([10189, 10223]); // the pattern, the time zone

const pattern = (timing: Timing): string => {
  if (timing.kind === 'at') return `@at ${new Date(timing.atMs).toISOString()}`;
  return timing.kind === 'every' ? `@every ${timing.everyMs / 1_000}s` : timing.expression;
};

const timingOf = (text: string, zone: string): Timing => {
  if (text.startsWith('@at ')) return { kind: 'at', atMs: Date.parse(text.slice(4)) };
  if (text.startsWith('@every '))
    return { kind: 'every', everyMs: Number.parseInt(text.slice(7), 10) * 1_000 };
  return { kind: 'cron', expression: text, ...(zone === '' ? {} : { timezone: zone }) };
};

/** The answer to a publish; the server says last whether it can do anything with a pattern. */
const published = (reply: Msg): E.Either<Fault, unknown> => {
  const { err_code, description } =
    reply.data.length === 0
      ? {}
      : (reply.json<{ error?: { err_code?: number; description?: string } }>().error ?? {});
  return INVALID.has(err_code ?? 0)
    ? E.left(fault('SCHEDULE_INVALID', `the server refused it: ${description}`))
    : parsePubAck(reply);
};

/** The schedules of a broker: messages that the server keeps and fires by itself, also while no broker runs. */
export class Schedules {
  #ensured: Promise<StreamInfo> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  readonly #shares: AccountShares;

  constructor(private readonly options: SchedulesOptions) {
    const { nc, maxOfAccount } = options;
    this.#shares = new AccountShares({
      read: (from) => readPage(nc, ALL_SCHEDULES, from),
      ...(maxOfAccount === undefined ? {} : { maxSchedules: maxOfAccount }),
    });
  }

  /** Takes a schedule on; SCHEDULES_FULL above the bound, SCHEDULE_INVALID where the server does not read it. */
  add(request: ScheduleRequest): TaskEither<Fault, Schedule> {
    return () => {
      if (this.#waiting >= MAX_WAITING) {
        const text = `${MAX_WAITING} schedules wait to be stored, and no more may; try again in ${RETRY_AFTER_MS} ms`;
        return Promise.resolve(E.left({ ...fault('OVERLOADED', text), retryAfterMs: RETRY_AFTER_MS }));
      }
      this.#waiting += 1;
      // One after the other: two that look at the bound together could both find the last place.
      const added = this.#last
        .then(() => this.#add(request))
        .finally(() => {
          this.#waiting -= 1;
        });
      // What becomes of one is no affair of those behind it.
      this.#last = added.catch(() => undefined);
      return added;
    };
  }

  /** Schedules from a place in their stream on, as many as one answer holds. */
  list(from: number): TaskEither<Fault, SchedulePage> {
    return TE.tryCatch(
      async () => {
        const { nc, jsm } = this.options;
        const page = (await hasSchedules(jsm)) ? await readPage(nc, ALL_SCHEDULES, from) : [];
        const last = page.at(-1);
        return {
          schedules: page.map((message) => this.#describe(message)),
          next: last === undefined ? null : last.seq + 1,
        };
      },
      (error) => toFault(error, 'LOG_UNAVAILABLE'),
    );
  }

  show(id: string): TaskEither<Fault, ScheduleDetails> {
    return async () => {
      if (!isName(id)) return E.left(unknown(id));
      try {
        if (!(await hasSchedules(this.options.jsm))) return E.left(unknown(id));
        const message = await this.options.jsm.direct.getMessage(SCHED, { last_by_subj: scheduleOf(id) });
        if (message === null) return E.left(unknown(id));
        const headers = Object.fromEntries(
          [...message.header]
            .filter(
              ([name]) => name !== HEADER.schedule && name !== COMMAND_HEADER && !name.startsWith('Nats-'),
            )
            .map(([name, [value = '']]) => [name, value]),
        );
        const details = { ...this.#describe(message), headers, dataBytes: message.data.length };
        const whole: ScheduleDetails = { ...details, data: jsonOrText(message.data) };
        return E.right(fitting(this.options.nc, whole, () => ({ ...details, data: null })));
      } catch (error) {
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      }
    };
  }

  /** Ends a schedule. What it fired before is a command like any other. SCHEDULE_UNKNOWN when there is none. */
  cancel(id: string): TaskEither<Fault, { readonly id: string; readonly cancelled: true }> {
    return async () => {
      if (!isName(id)) return E.left(unknown(id));
      try {
        if (!(await hasSchedules(this.options.jsm))) return E.left(unknown(id));
        const { purged } = await this.options.jsm.streams.purge(SCHED, { filter: scheduleOf(id) });
        this.#shares.cancelled();
        return purged === 0 ? E.left(unknown(id)) : E.right({ id, cancelled: true });
      } catch (error) {
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      }
    };
  }

  async #add(request: ScheduleRequest): Promise<E.Either<Fault, Schedule>> {
    const { nc } = this.options;
    const id = nuid.next();
    const message = {
      subject: scheduleOf(id),
      time: new Date(),
      header: headersOf(id, request),
      data: request.data,
    };
    const headerBytes = (message.header as MsgHdrs & { encode(): Uint8Array }).encode().length;
    if (headerBytes > MAX_SCHEDULE_HEADER_BYTES) {
      const text = `the headers of a schedule have ${headerBytes} bytes, above ${MAX_SCHEDULE_HEADER_BYTES}`;
      return E.left(fault('HEADERS_TOO_LARGE', text));
    }
    const bytes = message.data.length + headerBytes;
    if (bytes > MAX_SCHEDULE_RECORD_BYTES) {
      return E.left(fault('PAYLOAD_TOO_LARGE', `payload and headers of a schedule have ${bytes} bytes`));
    }
    try {
      const full = await this.#full(request.sender, bytes);
      if (full !== undefined) return E.left(full);
    } catch (error) {
      return E.left(toFault(error, 'LOG_UNAVAILABLE'));
    }
    try {
      const options = { headers: message.header, timeout: PUBLISH_TIMEOUT_MS };
      const stored = published(await linkedRequest(nc, message.subject, message.data, options));
      if (E.isLeft(stored)) return stored;
      this.#shares.added(request.sender, bytes);
      return E.right(this.#describe(message));
    } catch (error) {
      const text = `whether schedule ${id} was stored is not known: ${(error as Error).message}`;
      return E.left(fault('LOG_UNCERTAIN', text));
    }
  }

  async #full(account: string, bytes: number): Promise<Fault | undefined> {
    const { jsm, onStream, maxSchedules = MAX_SCHEDULES } = this.options;
    if (this.#ensured === undefined) {
      this.#ensured = ensureSchedules(jsm);
      // What fails now may work for the next one.
      this.#ensured.then(onStream, () => {
        this.#ensured = undefined;
      });
    }
    await this.#ensured;
    const { state } = await jsm.streams.info(SCHED);
    if ((state.num_subjects ?? 0) >= maxSchedules) {
      return fault('SCHEDULES_FULL', `there are ${maxSchedules} schedules; cancel one`);
    }
    if (state.bytes + bytes > MAX_SCHEDULE_BYTES) {
      const text = `the schedules have ${state.bytes} bytes of ${MAX_SCHEDULE_BYTES}; cancel one`;
      return fault('SCHEDULES_FULL', text);
    }
    return await this.#shares.full(account, bytes);
  }

  #describe({ subject, time, header }: Omit<Stored, 'seq' | 'data' | 'bytes'>): Schedule {
    const id = subject.slice(scheduleOf('').length);
    const command = splitSubject(header.get(COMMAND_HEADER));
    if (command?.kind !== 'cmd') throw new Error(`${subject} in ${SCHED} is no schedule`);
    const timing = timingOf(header.get(PATTERN), header.get(ZONE));
    const last = this.options.lastFiring(scheduleKey(command.sender, id));
    // The server leaves out what it missed.
    // In an old log a command of its sender can say that it was the last one, or name any time.
    const known =
      last === undefined || last === Number.POSITIVE_INFINITY ? firstDue(timing, time.getTime()) : last;
    const next = timing.kind === 'at' || known > Date.now() ? known : firstDue(timing, Date.now());
    return {
      id,
      module: command.module,
      action: command.name,
      agent: command.agent ?? null,
      sender: command.sender,
      at: timing.kind === 'at' ? new Date(timing.atMs).toISOString() : null,
      everyMs: timing.kind === 'every' ? timing.everyMs : null,
      cron: timing.kind === 'cron' ? timing.expression : null,
      timezone: timing.kind === 'cron' ? (timing.timezone ?? null) : null,
      next: new Date(next).toISOString(),
      created: time.toISOString(),
    };
  }
}

const unknown = (id: string): Fault =>
  fault(
    'SCHEDULE_UNKNOWN',
    `there is no schedule ${JSON.stringify(id)}; \`tallystick schedule list\` lists them`,
  );

const headersOf = (id: string, { address, sender, timing, headers }: ScheduleRequest): MsgHdrs => {
  const all = makeHeaders();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  all.set(HEADER.schedule, id);
  all.set(COMMAND_HEADER, storedCommandSubject(address, sender));
  all.set(PATTERN, pattern(timing));
  all.set(TARGET, firedOf(id));
  if (timing.kind === 'cron' && timing.timezone !== undefined) all.set(ZONE, timing.timezone);
  return all;
};
