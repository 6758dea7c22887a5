import type { Shelf } from './agent-lines.js';
import { CommandPolicy, type CommandPolicyOptions } from './command-policy.js';
import type { Scheduled, ScheduledHandler } from './scheduled.js';

/** When commands that wait have their turns. */
export interface SliceTimes {
  /** How long commands are handled before others have the processor, milliseconds. */
  readonly sliceMs: number;
  /** Once the running code has ended. */
  readonly soon: (run: () => void) => void;
  /** Once the connection was read. */
  readonly later: (run: () => void) => void;
}

const SLICE_TIMES: SliceTimes = { sliceMs: 2, soon: queueMicrotask, later: setImmediate };

/** A handler that waits for its place. */
export interface WaitingHandler extends ScheduledHandler {
  /** Its place is free. It keeps the place until {@link CommandScheduler.handlerEnded}. */
  readonly begin: () => void;
  /** It will not run: the module stops. */
  readonly drop: () => void;
}

/** Where commands go whose turn it is, while a session lasts. */
export interface Turns<C> {
  readonly begin: (command: C) => void;
  readonly shelf: Shelf<C>;
}

/**
 * Runs commands and handlers when {@link CommandPolicy} lets them. Commands have their turns in short slices of time,
 * and between two of them the connection is read: without that an urgent command would wait unread behind all that
 * were sent before it. A command that comes while none waits has its turn at once.
 */
export class CommandScheduler<C extends Scheduled> {
  readonly #policy: CommandPolicy<C, WaitingHandler>;
  #begin: (command: C) => void = () => undefined;
  #isSlicing = false;
  #isAdmitting = false;

  constructor(
    options: CommandPolicyOptions,
    /** Every handler waits for a command of this module that is further down the log. */
    private readonly onStalled: () => void,
    private readonly times: SliceTimes = SLICE_TIMES,
  ) {
    this.#policy = new CommandPolicy(options);
  }

  /** Commands that had their turn and are not over. */
  get inHand(): number {
    return this.#policy.inHand;
  }

  /** Commands that wait outside the memory. */
  get shelved(): number {
    return this.#policy.shelved;
  }

  get isStalled(): boolean {
    return this.#policy.isStalled;
  }

  /** A session begins: commands come from the first without a result on. */
  restart({ begin, shelf }: Turns<C>): void {
    this.#begin = begin;
    this.#policy.restart(shelf);
  }

  received(command: C, isUrgent: boolean): void {
    this.#policy.received(command, isUrgent);
    this.#take();
  }

  /** A command has its result in the log, from any process. */
  hasResult(seq: number): void {
    this.#policy.hasResult(seq);
    this.#take();
    this.#admit();
  }

  /** A command that had its turn has its result in the log: the agent's next one may have its turn. */
  stored(command: C): void {
    this.#policy.over(command);
    this.hasResult(command.seq);
  }

  /** A command that had its turn will have no result before the module's next start. */
  left(command: C): void {
    this.#policy.over(command);
    this.#take();
  }

  /** The handler of a command that had its turn waits. */
  sleeps(command: C): void {
    this.#policy.sleeps(command);
    this.#take();
  }

  /** A command that slept has its turn again. */
  wakes(command: C, isUrgent: boolean): void {
    this.#policy.wakes(command, isUrgent);
    this.#take();
  }

  /** Begins the handler, now or when there is a place for it. */
  run(handler: WaitingHandler): void {
    if (this.#policy.wants(handler)) this.#admit();
    else handler.drop();
  }

  handlerEnded(handler: WaitingHandler): void {
    this.#policy.handlerEnded(handler);
    this.#admit();
  }

  acquit(seq: number): void {
    this.#policy.acquit(seq);
    this.#admit();
  }

  ownCalls(more: number): void {
    this.#policy.ownCalls(more);
    if (more > 0 && this.isStalled) this.onStalled();
  }

  /** Begins nothing more: what runs may end, what waits is left for the next start. Idempotent. */
  drain(): void {
    for (const handler of this.#policy.drain()) handler.drop();
  }

  /** The next turn at once where none was lately, else in a slice. */
  #take(): void {
    if (this.#isSlicing) return;
    const command = this.#policy.nextTurn();
    if (command === undefined) return;
    this.#isSlicing = true;
    // What was read along with it waits by then; where nothing does, no turn of the event loop is spent on a slice.
    this.times.soon(() => {
      if (this.#policy.hasTurn) this.times.later(() => this.#slice());
      else this.#isSlicing = false;
    });
    this.#begin(command);
  }

  #slice(): void {
    const until = performance.now() + this.times.sliceMs;
    while (performance.now() < until) {
      const command = this.#policy.nextTurn();
      if (command === undefined) {
        this.#isSlicing = false;
        return;
      }
      this.#begin(command);
    }
    this.times.later(() => this.#slice());
  }

  /** A loop, since thousands may end one after the other, which must not grow the stack. */
  #admit(): void {
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      for (let next = this.#policy.nextHandler(); next !== undefined; next = this.#policy.nextHandler())
        next.begin();
    } finally {
      this.#isAdmitting = false;
    }
  }
}
