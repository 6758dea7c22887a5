import type { NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { type ControlError, WAKES_WAIT_MS, type WakesReply, wakesSubject } from '../../schemas/control.js';
import { pause } from '../../system/async/pause.js';

const PAUSE_MS = 100;

/**
 * Asks the broker which handlers of a module were woken, for as long as a session lasts. It begins with the first
 * handler that waits: a module without any asks nothing.
 */
export class WakeWatch {
  #isOver = false;
  #isAsking = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly module: string,
    /** Handlers that begin behind this sequence read from the log what was before it. */
    private readonly after: number,
    private readonly onWoken: (commands: readonly number[]) => void,
  ) {}

  /** Idempotent. */
  begin(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    void this.#ask();
  }

  end(): void {
    this.#isOver = true;
  }

  async #ask(): Promise<void> {
    const link = linkState(this.nc);
    for (let after = this.after; !this.#isOver; ) {
      try {
        if (!link.isUp) throw new Error('the link is down');
        const body = JSON.stringify({ after });
        const reply = await linkedRequest(this.nc, wakesSubject(this.module), body, {
          timeout: WAKES_WAIT_MS + 10_000,
        });
        const answer = reply.json<WakesReply | ControlError>();
        if ('error' in answer) throw new Error(answer.error.message);
        after = answer.upTo;
        if (!this.#isOver && answer.commands.length > 0) this.onWoken(answer.commands);
      } catch {
        // The broker or its server is away; a new session asks the log for what it has missed.
        if (!this.#isOver) await pause(PAUSE_MS, { ref: false });
      }
    }
  }
}
