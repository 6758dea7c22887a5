import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { keyDiffers, keyReused } from '../../broker/gateway/key-reuse.js';
import type { ScheduleRequest } from '../../broker/schedules/admit-schedule.js';
import { definitionHeaders, firedDraft } from '../../broker/schedules/definition.js';
import { describeSchedule } from '../../broker/schedules/describe-schedule.js';
import { dueAfter } from '../../broker/schedules/due.js';
import { idOfKey } from '../../broker/schedules/keyed-schedule.js';
import type { Draft } from '../../journal/append/draft.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { firstDue, type Schedule } from '../../schemas/schedule.js';
import { storedCommandSubject } from '../../schemas/subjects.js';
import type { HandClock } from './hand-clock.js';

interface ArmedSchedule {
  readonly request: ScheduleRequest;
  readonly id: string;
  readonly createdMs: number;
  /** Infinity: it is over. */
  dueMs: number;
}

const described = ({ request: { address, sender, timing }, ...rest }: ArmedSchedule): Schedule =>
  describeSchedule({ address, sender, timing, ...rest });

const commandOf = ({ address, sender, data }: ScheduleRequest): Draft => ({
  subject: storedCommandSubject(address, sender),
  data,
});

/** Sends commands later, by the clock of the test. */
export class MemorySchedules {
  readonly #all = new Map<string, ArmedSchedule>();
  readonly #startedMs: number;

  constructor(
    private readonly clock: HandClock,
    private readonly store: (draft: Draft) => void,
  ) {
    this.#startedMs = clock.now();
  }

  /** Takes a schedule on; KEY_REUSED, SCHEDULE_ENDED. */
  add(request: ScheduleRequest): Either<Fault, Schedule> {
    const { sender, timing, key } = request;
    const id = key === undefined ? `schedule-${this.#all.size + 1}` : idOfKey(sender, key);
    const known = this.#all.get(id);
    if (key !== undefined && known !== undefined) return this.#ofKey(known, request, key);
    const createdMs = this.clock.now();
    const armed = { request, id, createdMs, dueMs: firstDue(timing, createdMs) };
    this.#all.set(id, armed);
    this.#arm(armed);
    return right(described(armed));
  }

  #ofKey(known: ArmedSchedule, request: ScheduleRequest, key: string): Either<Fault, Schedule> {
    if (known.dueMs === Number.POSITIVE_INFINITY) {
      const text = `schedule ${known.id} of the key ${key} has fired and is over; use another key`;
      return left(fault('SCHEDULE_ENDED', text));
    }
    const differs = keyDiffers(commandOf(known.request), commandOf(request));
    return differs === undefined
      ? right(described(known))
      : left(keyReused(key, `schedule ${known.id}`, differs));
  }

  #arm(armed: ArmedSchedule): void {
    const { request, id, createdMs, dueMs } = armed;
    const { address, sender, timing, data, headers } = request;
    const header = definitionHeaders({ id, address, sender, timing, createdMs }, headers);
    this.clock.after(dueMs - this.clock.now(), () => {
      armed.dueMs = dueAfter(timing, dueMs, this.#startedMs, this.clock.now());
      const isLast = armed.dueMs === Number.POSITIVE_INFINITY;
      this.store(firedDraft({ header, data }, id, isLast ? undefined : new Date(armed.dueMs).toISOString()));
      if (!isLast) this.#arm(armed);
    });
  }
}
