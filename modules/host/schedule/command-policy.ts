import { AgentLines, type Shelf } from './agent-lines.js';
import { HandlerPlaces } from './handler-places.js';
import { Quarantine } from './quarantine.js';
import type { Scheduled, ScheduledHandler } from './scheduled.js';
import { Urgency } from './urgency.js';
import { WaitingLine } from './waiting-line.js';

export interface CommandPolicyOptions {
  /** The command that ended the process before. */
  readonly culprit: number | undefined;
  /** Commands whose handlers may have ended the process before. */
  readonly suspects: readonly number[];
  /** How many handlers of an action may run at a time. */
  readonly placesOf: (action: string) => number;
}

/**
 * When a command may run. It is told what happens, and says which command is next; it runs nothing, waits for nothing
 * and reads no clock. The rules stand in docs/internals/architecture.md, and
 * test/modules/host/schedule/command-policy.test.ts shows each.
 *
 * A command has its turn first: it is checked, and a pure decider decides. If its action has an effectful handler,
 * the handler then waits for a place.
 */
export class CommandPolicy<C extends Scheduled, H extends ScheduledHandler> {
  readonly #urgency = new Urgency();
  readonly #quarantine: Quarantine<C>;
  readonly #places: HandlerPlaces<H>;
  readonly #turns = new WaitingLine<C>(this.#urgency);
  #agents = new AgentLines<C>();
  /** Commands that had their turn and are not over. */
  #inHand = 0;
  /** Calls to the module itself that handlers wait for. */
  #ownCalls = 0;
  #isDraining = false;

  constructor({ culprit, suspects, placesOf }: CommandPolicyOptions) {
    this.#quarantine = new Quarantine(culprit);
    this.#places = new HandlerPlaces({ suspects, placesOf, urgency: this.#urgency });
  }

  /** Commands that had their turn and are not over. */
  get inHand(): number {
    return this.#inHand;
  }

  /** Commands that wait outside the memory. */
  get shelved(): number {
    return this.#agents.shelved;
  }

  /**
   * Whether all handlers that run wait for a command of this very module: nothing ends before one is taken that comes
   * later.
   */
  get isStalled(): boolean {
    return this.#places.running > 0 && this.#ownCalls === this.#places.running;
  }

  /**
   * Commands are delivered again, from the first without a result on. Handlers keep their places, and those that wait
   * too.
   */
  restart(shelf?: Shelf<C>): void {
    this.#turns.clear();
    this.#quarantine.restart();
    this.#agents = new AgentLines(shelf);
    this.#inHand = 0;
  }

  /** A command was delivered, in the order of the log. */
  received(command: C, isUrgent: boolean): void {
    if (isUrgent) this.#urgency.waits(command.seq, command.agent);
    if (!this.#quarantine.holds(command)) this.#join(command);
  }

  /** Whether a command waits for its turn. */
  get hasTurn(): boolean {
    return this.#turns.length > 0;
  }

  /** The next command whose turn it is. */
  nextTurn(): C | undefined {
    const command = this.#turns.take();
    if (command !== undefined) this.#inHand += 1;
    return command;
  }

  /** A command that had its turn needs its handler. False: nothing begins any more. */
  wants(handler: H): boolean {
    if (!this.#isDraining) this.#places.add(handler);
    return !this.#isDraining;
  }

  /** The next handler that may run. */
  nextHandler(): H | undefined {
    return this.#isDraining ? undefined : this.#places.next();
  }

  /** A handler that was to run has ended, or was not begun after all. */
  handlerEnded(handler: H): void {
    this.#places.ended(handler);
  }

  /** Handlers wait for so many more, or fewer, calls to the module itself. */
  ownCalls(more: number): void {
    this.#ownCalls += more;
  }

  /** A handler has ended without ending the process, so the end before was not its doing. */
  acquit(seq: number): void {
    this.#places.acquit(seq);
  }

  /** A command has its result in the log, from any process. */
  hasResult(seq: number): void {
    this.#urgency.over(seq);
    this.#places.acquit(seq);
    for (const held of this.#quarantine.over(seq)) this.#join(held);
  }

  /** A command that had its turn is over: the agent's next one may have its turn. */
  over({ agent }: C): void {
    this.#inHand -= 1;
    const next = this.#isDraining ? undefined : this.#agents.next(agent);
    if (next !== undefined) this.#turns.add(next);
  }

  /** The handler of a command that had its turn waits: the agent stays busy, and nothing else waits for it. */
  sleeps({ seq, agent }: C): void {
    this.#inHand -= 1;
    this.#urgency.over(seq);
    this.#agents.sleeps(agent);
  }

  /** A command that slept is to be handled again. */
  wakes(command: C, isUrgent: boolean): void {
    this.#agents.wakes(command.agent);
    if (this.#isDraining) return;
    if (isUrgent) this.#urgency.waits(command.seq, command.agent);
    this.#turns.add(command);
  }

  /** Nothing more begins; gives the handlers that will not run. */
  drain(): readonly H[] {
    this.#isDraining = true;
    this.#turns.clear();
    return this.#places.clear();
  }

  #join(command: C): void {
    if (this.#agents.join(command) && !this.#isDraining) this.#turns.add(command);
  }
}
