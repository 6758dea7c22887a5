import type { NatsConnection } from 'nats';
import type { CancelledCommand } from '../../schemas/cancel.js';
import {
  type CancelledReply,
  type ControlError,
  cancelledSubject,
  toldCancelledSubject,
} from '../../schemas/control.js';
import { askUntilAnswered } from './ask-recorded-calls.js';

/** Which commands are cancelled. */
export interface KnownCancels {
  readonly of: (command: number) => CancelledCommand | undefined;
}

const isReply = (answer: CancelledReply | ControlError): answer is CancelledReply => 'cancelled' in answer;

/**
 * The commands of a module that are cancelled and have no result. The broker tells of each; what it told while this
 * process did not listen is asked for when a session begins.
 */
export class Cancels implements KnownCancels {
  readonly #known = new Map<number, CancelledCommand>();
  /** Known from before the session that begins, and not heard of since: they may have their results. */
  #stale = new Set<number>();

  constructor(
    private readonly nc: NatsConnection,
    private readonly module: string,
    private readonly onCancelled: (command: number) => void,
  ) {
    nc.subscribe(toldCancelledSubject(module), {
      callback: (error, msg) => {
        if (error === null) this.#add(msg.json<CancelledCommand>());
      },
    });
  }

  of(command: number): CancelledCommand | undefined {
    return this.#known.get(command);
  }

  /** The command has its result. */
  forget(command: number): void {
    this.#known.delete(command);
  }

  /**
   * A session is to begin. What is known stays known meanwhile, since handlers run; what the broker tells from here on
   * counts, since its answer may be from just before.
   */
  opening(): void {
    this.#stale = new Set(this.#known.keys());
  }

  /** A session begins. `any`: the broker has cancels of commands without a result. */
  async begin(any: boolean): Promise<void> {
    for (let after = 0, more = any; more; ) {
      const reply = await askUntilAnswered(this.nc, cancelledSubject(this.module), { after }, isReply);
      for (const cancelled of reply.cancelled) this.#add(cancelled);
      after = reply.cancelled.at(-1)?.command ?? after;
      more = reply.more;
    }
    for (const command of this.#stale) this.#known.delete(command);
    this.#stale.clear();
  }

  #add(cancelled: CancelledCommand): void {
    this.#stale.delete(cancelled.command);
    this.#known.set(cancelled.command, cancelled);
    this.onCancelled(cancelled.command);
  }
}
