import { definitionHeaders, firedDraft } from '../../broker/schedules/definition.js';
import { describeSchedule } from '../../broker/schedules/describe-schedule.js';
import { dueAfter } from '../../broker/schedules/due.js';
import type { ScheduleRequest } from '../../broker/schedules/admit-schedule.js';
import type { Draft } from '../../journal/append/draft.js';
import { firstDue, type Schedule, type Timing } from '../../schemas/schedule.js';
import type { HandClock } from './hand-clock.js';

/** Sends commands later, by the clock of the test. */
export class MemorySchedules {
  #made = 0;
  readonly #startedMs: number;

  constructor(
    private readonly clock: HandClock,
    private readonly store: (draft: Draft) => void,
  ) {
    this.#startedMs = clock.now();
  }

  add({ address, sender, timing, data, headers }: ScheduleRequest): Schedule {
    const createdMs = this.clock.now();
    this.#made += 1;
    const definition = { id: `schedule-${this.#made}`, address, sender, timing, createdMs };
    const header = definitionHeaders(definition, headers);
    const dueMs = firstDue(timing, createdMs);
    this.#arm(timing, dueMs, (next) => this.store(firedDraft({ header, data }, definition.id, next)));
    return describeSchedule({ ...definition, dueMs });
  }

  #arm(timing: Timing, dueMs: number, fire: (next: string | undefined) => void): void {
    this.clock.after(dueMs - this.clock.now(), () => {
      const nextMs = dueAfter(timing, dueMs, this.#startedMs, this.clock.now());
      const isLast = nextMs === Number.POSITIVE_INFINITY;
      fire(isLast ? undefined : new Date(nextMs).toISOString());
      if (!isLast) this.#arm(timing, nextMs, fire);
    });
  }
}
