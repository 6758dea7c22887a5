import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { copyDraft } from '../../journal/append/copy-draft.js';
import type { CallAnswer, HandlerCall } from '../../modules/host/calls.js';
import { Effects } from '../../modules/host/effects.js';
import {
  type CommandInTurn,
  type ConfigCell,
  foldOutcome,
  type CommandHandling,
  handleCommand,
} from '../../modules/host/handle-command.js';
import type { HandlerClock } from '../../modules/host/handler-clock.js';
import { type StepPlace, stepKey } from '../../modules/host/step-log.js';
import { PARKED } from '../../modules/host/handler-run.js';
import type { Outcome } from '../../modules/host/handler-outcome.js';
import { isUrgent } from '../../modules/host/read-command.js';
import { resultDraft } from '../../modules/host/result-draft.js';
import { CommandScheduler } from '../../modules/host/schedule/command-scheduler.js';
import type { Scheduled } from '../../modules/host/schedule/scheduled.js';
import { storedOutcome } from '../../modules/host/stored-outcome.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import type { StepReply } from '../../schemas/control.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { DEFAULT_CONCURRENCY } from '../../schemas/manifest.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import { type CommandSubject, splitSubject } from '../../schemas/subjects.js';
import type { MemoryStates } from './memory-states.js';
import type { RunningHandlers } from './running-handlers.js';
import type { TurnQueue } from './turn-queue.js';

/** The identity of a log that has no time of its making. */
const IN_MEMORY = 'memory';

export interface MemoryModuleOptions extends CompiledModule {
  readonly states: MemoryStates;
  readonly config: ConfigCell;
  readonly clock: HandlerClock;
  readonly turns: TurnQueue;
  readonly running: RunningHandlers;
  readonly store: (draft: Draft) => E.Either<unknown, StoredMessage>;
  readonly makeCall: (call: HandlerCall) => Promise<CallAnswer>;
  /** The highest number of a call or step of a command. */
  readonly lastCall: (command: number) => number;
  /** What the log has of a handler at a number. */
  readonly recordedAt: (place: StepPlace) => StepReply;
  readonly storeStep: (place: StepPlace, draft: Draft, isOver: boolean) => E.Either<Fault, number>;
  /** Where the handler of a command threw. */
  readonly onThrown: (command: number, stack: string) => void;
}

interface WaitingCommand extends Scheduled, CommandInTurn {}

/** What the host is to a module in a process: it has its commands handled, and stores what comes of them. */
export class MemoryModule {
  readonly #scheduler: CommandScheduler<WaitingCommand>;
  readonly #effects: Effects;
  readonly #handling: CommandHandling;
  /** Commands whose handlers wait, by their sequences. */
  readonly #asleep = new Map<number, WaitingCommand>();
  /** Woken at some time. */
  readonly #woken = new Set<number>();
  /** Woken while their handlers ran. */
  readonly #wokenEarly = new Set<number>();

  get states(): MemoryStates {
    return this.options.states;
  }

  constructor(private readonly options: MemoryModuleOptions) {
    const { module, checks, config, clock, turns, running, makeCall, lastCall } = options;
    const placesOf = (action: string): number =>
      module.manifest.actions[action]?.concurrency ?? DEFAULT_CONCURRENCY;
    // All commands are in memory here: there is never room to be made.
    const onStalled = (): void => undefined;
    this.#scheduler = new CommandScheduler(
      { culprit: undefined, suspects: [], placesOf },
      onStalled,
      turns.times,
    );
    const shelf = { put: () => undefined, take: () => undefined };
    this.#scheduler.restart({ begin: (command) => this.#inTurn(command), shelf });
    this.#effects = new Effects({
      module,
      checks,
      clock,
      makeCall: (call) => running.calling(call.cause, () => makeCall(call)),
      steps: {
        key: (place) => Promise.resolve(stepKey(IN_MEMORY, place)),
        calls: (command) => Promise.resolve({ calls: lastCall(command) }),
        last: (command) => Promise.resolve(lastCall(command)),
        at: (place) => Promise.resolve(options.recordedAt(place)),
        store: (place, draft, isOver) => Promise.resolve(options.storeStep(place, draft, isOver())),
      },
      blackBox: running,
      scheduler: this.#scheduler,
      // The pauses between tries are whole, so that a test knows them.
      random: () => 0,
      onWait: () => undefined,
      say: () => undefined,
      throws: { show: () => undefined },
    });
    this.#handling = {
      module,
      checks,
      effects: this.#effects,
      config,
      state: (agent) => this.states.get(agent),
      noted: (_, run) => run(),
    };
  }

  /** A command of this module is in the log. */
  received(message: StoredMessage): void {
    const subject = splitSubject(message.subject) as CommandSubject;
    const command = { seq: message.seq, agent: subject.agent ?? '', subject, message };
    this.#scheduler.received(command, isUrgent(message));
  }

  /** The log has a wake of this command. */
  woken(seq: number): void {
    const command = this.#asleep.get(seq);
    if (command === undefined) {
      if (this.#effects.isRunning(seq)) this.#wokenEarly.add(seq);
      return this.#effects.woken(seq);
    }
    this.#asleep.delete(seq);
    this.#woken.add(seq);
    this.#scheduler.wakes(command, isUrgent(command.message));
  }

  #inTurn(command: WaitingCommand): void {
    const isWoken = this.#woken.has(command.seq);
    const options = { now: this.options.clock.now(), isOld: isWoken, isWoken };
    handleCommand(this.#handling, command, options, (outcome) => {
      if (outcome === PARKED) return this.#sleeps(command);
      if (outcome !== undefined) this.#store(command, outcome);
    });
  }

  #sleeps(command: WaitingCommand): void {
    const { seq } = command;
    this.#effects.forget(seq);
    this.#asleep.set(seq, command);
    this.#scheduler.sleeps(command);
    if (this.#wokenEarly.delete(seq)) this.woken(seq);
  }

  #store(command: WaitingCommand, handled: Outcome): void {
    const { module, store, onThrown } = this.options;
    const { subject, message, seq, agent } = command;
    const [folded, keep] = foldOutcome(module, subject.name, handled, (events) =>
      this.states.fold(agent, events),
    );
    const outcome = storedOutcome(folded);
    if (outcome.stack !== undefined) onThrown(seq, outcome.stack);
    const conversation = conversationOf(message);
    const result = store(resultDraft(module, { subject, seq, conversation }, outcome));
    // An outcome that is above the limits of a record is refused before.
    if (E.isLeft(result)) throw new FaultError(result.left as never);
    keep(result.right.seq, result.right.time);
    this.#effects.forget(seq);
    const schema = result.right.header(HEADER.schema);
    const n = outcome.out.length;
    for (const [i, out] of outcome.out.entries())
      store(copyDraft({ cause: seq, conversation, schema, i: i + 1, n, out }));
    this.#scheduler.stored(command);
  }
}
