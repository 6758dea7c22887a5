import { OwnerRing } from '../../../system/async/owner-ring.js';
import type { Scheduled } from './scheduled.js';
import type { Urgency } from './urgency.js';

/**
 * Commands that wait. Their senders have turns, one command each; those of one sender keep the order in which they
 * came. So a sender of many commands waits for itself. Those of an agent with an urgent command are taken first.
 */
export class WaitingLine<C extends Pick<Scheduled, 'agent' | 'sender'>> {
  readonly #waiting = new OwnerRing<C>();

  constructor(private readonly urgency: Urgency) {}

  get length(): number {
    return this.#waiting.length;
  }

  add(command: C): void {
    this.#waiting.add(command.sender ?? '', command);
  }

  take(): C | undefined {
    // Looked at when a command is taken, not when it comes: an urgent one may have come since.
    const urgent = this.urgency.any
      ? this.#waiting.takeFirst(({ agent }) => this.urgency.has(agent))
      : undefined;
    return urgent ?? this.#waiting.take();
  }

  /** Takes all; those of one sender in their order. */
  clear(): readonly C[] {
    return this.#waiting.clear();
  }
}
