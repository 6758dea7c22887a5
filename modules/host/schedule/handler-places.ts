import type { ScheduledHandler } from './scheduled.js';
import type { Urgency } from './urgency.js';
import { WaitingLine } from './waiting-line.js';

interface ActionPlaces<H extends ScheduledHandler> {
  free: number;
  readonly line: WaitingLine<H>;
}

export interface HandlerPlacesOptions {
  /** Commands whose handlers may have ended the process before. */
  readonly suspects: readonly number[];
  /** How many handlers of an action may run at a time. */
  readonly placesOf: (action: string) => number;
  readonly urgency: Urgency;
}

/**
 * Which effectful handlers may run: so many of an action at a time. Handlers that may have ended the process before
 * run first and alone, so that the next end has one cause.
 */
export class HandlerPlaces<H extends ScheduledHandler> {
  readonly #actions = new Map<string, ActionPlaces<H>>();
  readonly #suspects: Set<number>;
  readonly #suspected: WaitingLine<H>;
  /** The suspect that runs. */
  #alone: H | undefined;
  #running = 0;

  constructor(private readonly options: HandlerPlacesOptions) {
    this.#suspects = new Set(options.suspects);
    this.#suspected = new WaitingLine(options.urgency);
  }

  get running(): number {
    return this.#running;
  }

  add(handler: H): void {
    if (this.#suspects.has(handler.seq)) this.#suspected.add(handler);
    else this.#placesOf(handler.action).line.add(handler);
  }

  /** The next that may run now. */
  next(): H | undefined {
    const next = this.#nextSuspect() ?? this.#nextOfActions();
    if (next !== undefined) this.#running += 1;
    return next;
  }

  ended(handler: H): void {
    this.#running -= 1;
    if (this.#alone === handler) this.#alone = undefined;
    else this.#placesOf(handler.action).free += 1;
  }

  /** The command has ended without ending the process: it is no suspect any more. */
  acquit(seq: number): void {
    this.#suspects.delete(seq);
  }

  /** Takes all that wait. */
  clear(): readonly H[] {
    const lines = [this.#suspected, ...[...this.#actions.values()].map(({ line }) => line)];
    return lines.flatMap((line) => line.clear());
  }

  #nextSuspect(): H | undefined {
    if (this.#alone !== undefined) return undefined;
    this.#alone = this.#suspected.take();
    return this.#alone;
  }

  #nextOfActions(): H | undefined {
    if (this.#suspects.size > 0) return undefined;
    for (const places of this.#actions.values()) {
      if (places.free > 0 && places.line.length > 0) {
        places.free -= 1;
        return places.line.take();
      }
    }
    return undefined;
  }

  #placesOf(action: string): ActionPlaces<H> {
    let places = this.#actions.get(action);
    if (places === undefined) {
      const { placesOf, urgency } = this.options;
      places = { free: placesOf(action), line: new WaitingLine(urgency) };
      this.#actions.set(action, places);
    }
    return places;
  }
}
