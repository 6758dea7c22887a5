import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { Appender } from '../../journal/append/appender.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { GROUPING } from '../../journal/append/grouping.js';
import { acknowledgementOf, Pull, type Pulled } from '../../journal/read/pull.js';
import type { EpochEnd } from '../../journal/append/recovery.js';
import type { SparseSequences } from '../../journal/wire/sparse-sequences.js';
import type { StartReply } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { commandConsumer } from '../../schemas/log.js';
import { schemaOf } from '../../schemas/manifest.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import { type CommandSubject, splitSubject } from '../../schemas/subjects.js';
import type { AgentSeals } from '../../store/seals/agent-seals.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule } from '../sdk/module-shape.js';
import type { BlackBox } from './black-box.js';
import type { Cancels } from './cancels.js';
import { Checkpoint } from './checkpoint.js';
import { sealedOutcome, withoutThrownText } from './sealed-outcome.js';
import { storedOutcome } from './stored-outcome.js';
import type { HostConfig } from './host-config.js';
import type { MeasuredTimes } from './measured-times.js';
import type { Effects } from './effects.js';
import { type Outcome, refusedOutcome } from './handler-outcome.js';
import { foldOutcome, type CommandHandling, handleCommand } from './handle-command.js';
import { outcomeWithoutSecrets } from './outcome-without-secrets.js';
import { OutgoingCopies } from './outgoing-copies.js';
import { isUrgent } from './read-command.js';
import { PARKED, type Parked } from './handler-run.js';
import { resultDraft } from './result-draft.js';
import type { Scheduled } from './schedule/scheduled.js';
import type { CommandScheduler } from './schedule/command-scheduler.js';
import type { ShelfFile } from './shelf-file.js';
import type { States } from './states.js';
import type { StepLog } from './step-log.js';
import type { Throws } from './throws.js';
import { SleepingCommands } from './sleeping-commands.js';
import { WaitingShelf } from './waiting-shelf.js';
import { WakeWatch } from './wake-watch.js';
import { pause } from '../../system/async/pause.js';

/** A command that was delivered. */
export interface DeliveredCommand extends Scheduled {
  readonly subject: CommandSubject;
  readonly message: StoredMessage;
}

const delivered = (message: StoredMessage): DeliveredCommand => {
  const subject = splitSubject(message.subject) as CommandSubject;
  return { seq: message.seq, agent: subject.agent ?? '', sender: subject.sender, subject, message };
};

export interface SessionOptions {
  readonly nc: NatsConnection;
  readonly apiPrefix: string;
  readonly module: AnyModule;
  readonly checks: Checks;
  /** Of a module that encrypts. */
  readonly seals: AgentSeals | undefined;
  readonly start: StartReply;
  readonly states: States;
  /** Commands that will be delivered again and have a result. */
  readonly answered: SparseSequences;
  readonly scheduler: CommandScheduler<DeliveredCommand>;
  readonly effects: Effects;
  readonly steps: Pick<StepLog, 'begin'>;
  readonly cancels: Pick<Cancels, 'of' | 'forget'>;
  readonly blackBox: BlackBox;
  readonly config: HostConfig | undefined;
  readonly throws: Throws;
  /** Takes what waits far down the lane of an agent; the session closes it. */
  readonly shelf: ShelfFile;
  readonly say: (line: string) => void;
  /** A command came; its handler has not begun. */
  readonly onReceived: () => void;
  readonly onHandled: () => void;
  readonly times: MeasuredTimes;
}

/** Keeps a folded state: it is in the record of this sequence. */
type Keep = (seq: number, timeMs: number) => void;

/** Commands held in memory. Above it no more are asked for, unless handlers wait for one that is further down. */
const WINDOW = 10_000;
const ACK_INTERVAL_MS = 100;

/**
 * One epoch of a module's process: commands in, outcomes out. It ends at the first sign that a record may not be stored
 * or a command not delivered; what was under way is then learned from the log.
 */
export class Session {
  /** Resolves with the reason why the session cannot continue. */
  readonly ended: Promise<Fault>;
  readonly #options: SessionOptions;
  readonly #handling: CommandHandling;
  /** The version of every result and event of the session. */
  readonly #schema: string;
  readonly #appender: Appender;
  readonly #copies: OutgoingCopies;
  /** Steps that are not acknowledged wait for the next session. */
  readonly #endSteps: () => void;
  readonly #pull: Pull;
  readonly #checkpoint = new Checkpoint();
  readonly #shelf: WaitingShelf;
  readonly #sleeping: SleepingCommands;
  readonly #wakes: WakeWatch;
  #ackTimer: NodeJS.Timeout | undefined;
  #end: (reason: Fault) => void = () => undefined;
  #window = WINDOW;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const { nc, apiPrefix, module, checks, seals, start, states, effects, config } = options;
    this.#handling = {
      module,
      checks,
      seals,
      effects,
      config,
      cancels: options.cancels,
      state: (agent) => states.get(agent),
      noted: (seq, run) => this.#noted(seq, run),
    };
    const producer = module.manifest.name;
    this.#schema = String(schemaOf(module.manifest));
    const broken = (reason: Fault): void => this.#break(reason);
    this.#shelf = new WaitingShelf(options.shelf, options.say, broken);
    this.#sleeping = new SleepingCommands(this.#shelf, (seq) => effects.isRunning(seq));
    this.#wakes = new WakeWatch(nc, producer, start.epoch, (commands) => this.#woken(commands));
    options.scheduler.restart({
      begin: (command) => this.#inTurn(command),
      shelf: {
        put: ({ message }) => this.#shelf.put(message),
        take: (place) => this.#takeBack(place),
      },
    });
    this.#appender = new Appender(
      { nc, producer, epoch: start.epoch, next: start.next, grouping: GROUPING[start.durability] },
      broken,
    );
    this.#endSteps = options.steps.begin(start.logId, (draft, settle) =>
      this.#appender.submit(draft, (stored) => {
        if (E.isLeft(stored)) return this.#break(stored.left);
        settle(stored);
      }),
    );
    this.#copies = new OutgoingCopies(this.#appender, (cause) => this.#finished(cause), broken);
    this.#pull = new Pull({
      nc,
      apiPrefix,
      consumer: commandConsumer(producer),
      onMessage: (pulled) => this.#received(pulled),
      onBroken: broken,
    });
    if (effects.hasWaits) this.#wakes.begin();
    this.#pull.want(this.#window);
  }

  /** How this epoch stands by what the server has answered, for the next one to say. */
  get end(): EpochEnd {
    return this.#appender.end;
  }

  /** Commands that were delivered and are not finished. */
  get pending(): number {
    return this.#checkpoint.unfinished;
  }

  /** Handlers wait for a command that is further down the log: take in more than the window. */
  makeRoom(): void {
    this.#window = this.#inMemory + WINDOW;
    this.#ask();
  }

  /**
   * Begins nothing new and waits until all that runs is stored, copies and all. Handlers that wait for a command of
   * this very module would wait for ever: they are left as they are, and run again at the next start with the answers
   * they got.
   */
  async drain(): Promise<void> {
    const { scheduler, effects } = this.#options;
    this.#pull.close();
    scheduler.drain();
    effects.drain();
    const busy = (): boolean => this.#appender.pending > 0 || (scheduler.inHand > 0 && !scheduler.isStalled);
    for (; !this.#over; await pause(5)) {
      this.#copies.send();
      if (!busy()) break;
    }
    this.#acknowledge();
    this.#break(fault('MODULE_UNAVAILABLE', 'the module stops'));
  }

  /** It is to take nothing more: its start has failed. Idempotent. */
  abandon(reason: Fault): void {
    this.#break(reason);
  }

  #break(reason: Fault): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#ackTimer);
    this.#copies.close();
    this.#pull.close();
    this.#wakes.end();
    this.#appender.break(reason);
    this.#endSteps();
    this.#shelf.close();
    this.#end(reason);
  }

  /** Commands that are held with all their bytes. */
  get #inMemory(): number {
    return this.#checkpoint.open - this.#options.scheduler.shelved;
  }

  #takeBack(place: number): DeliveredCommand | undefined {
    // Its commands come again, in the next session.
    if (this.#over) return undefined;
    const message = this.#shelf.take(place);
    return message === undefined ? undefined : delivered(message);
  }

  #received({ message }: Pulled): void {
    const { answered, scheduler, effects } = this.#options;
    failPoint('host.received');
    this.#options.onReceived();
    this.#options.times.delivered(message.timeUs / 1_000);
    this.#checkpoint.delivered(message.seq);
    if (answered.delete(message.seq)) {
      effects.forget(message.seq);
      scheduler.hasResult(message.seq);
      this.#finished(message.seq);
      return;
    }
    scheduler.received(delivered(message), isUrgent(message));
    this.#ask();
  }

  #inTurn(command: DeliveredCommand): void {
    if (this.#over) return;
    const begunMs = performance.now();
    this.#handle(command, (outcome) => {
      if (this.#over) return;
      // Not begun, or to be tried again, when the module was asked to stop: the next start handles it.
      if (outcome === undefined) return this.#options.scheduler.left(command);
      if (outcome === PARKED) return this.#sleeps(command);
      failPoint('host.decided');
      this.#store(command, outcome, begunMs);
      this.#options.onHandled();
    });
  }

  /** A handler waits: idempotent. */
  watchWakes(): void {
    if (!this.#over) this.#wakes.begin();
  }

  /** The handler waits. Until it is woken, its delivery is acknowledged, and its bytes lie on the shelf. */
  #sleeps(command: DeliveredCommand): void {
    const { scheduler, effects } = this.#options;
    const { seq, message } = command;
    effects.forget(seq);
    const isFirst = this.#sleeping.sleeps(message);
    scheduler.sleeps(command);
    this.#wakes.begin();
    if (isFirst) this.#acknowledgeLater(seq);
    this.#wakeNext();
  }

  #woken(commands: readonly number[]): void {
    if (this.#over) return;
    failPoint('wait.woken');
    for (const seq of commands) {
      this.#sleeping.woken(seq);
      this.#options.effects.woken(seq);
    }
    this.#wakeNext();
  }

  #wakeNext(): void {
    const { scheduler } = this.#options;
    for (let next = this.#sleeping.next(); next !== undefined; next = this.#sleeping.next())
      scheduler.wakes(delivered(next), isUrgent(next));
  }

  #ask(): void {
    if (this.#options.scheduler.isStalled) this.#window = Math.max(this.#window, this.#inMemory + WINDOW);
    this.#pull.want(Math.max(0, this.#window - this.#inMemory));
  }

  #handle(command: DeliveredCommand, settle: (outcome: Outcome | Parked | undefined) => void): void {
    const { module, start, blackBox } = this.#options;
    const { seq } = command;
    if (blackBox.lastMoments.culprit === seq) {
      const text = `the process of ${module.manifest.name} ended or hung while it handled this command`;
      return settle(refusedOutcome(fault('HANDLER_CRASHED', text)));
    }
    const isWoken = this.#sleeping.isAwake(seq);
    const isOld = isWoken || seq < start.epoch;
    handleCommand(this.#handling, command, { now: Date.now(), isOld, isWoken }, settle);
  }

  /** From here on a command may be what ends the process. */
  #noted<T>(seq: number, run: () => T): T {
    const { blackBox } = this.#options;
    blackBox.enter(seq);
    try {
      return run();
    } finally {
      blackBox.leave();
    }
  }

  /** Nothing changes the agent's state until this outcome is kept, so it need not be folded again. */
  #fold({ agent = '', name }: CommandSubject, seq: number, outcome: Outcome): readonly [Outcome, Keep] {
    const { module, states } = this.#options;
    const fold = (): readonly [Outcome, Keep] =>
      foldOutcome(module, name, outcome, (events) => states.fold(agent, events));
    return outcome.events.length === 0 ? fold() : this.#noted(seq, fold);
  }

  /** Stores the outcome; behind it, once it is in the log, its copies. The agent's next command waits for the first. */
  #store(command: DeliveredCommand, handled: Outcome, begunMs: number): void {
    const { subject, message } = command;
    const { module, seals, scheduler, effects, cancels, throws, config } = this.#options;
    const shown = outcomeWithoutSecrets(handled, config?.hide);
    const decided = seals === undefined ? shown : sealedOutcome(seals, module, subject, shown);
    const [folded, keep] = this.#fold(subject, message.seq, decided);
    const outcome = storedOutcome(seals === undefined ? folded : withoutThrownText(module, subject, folded));
    if (outcome.stack !== undefined) throws.dead(message.seq, subject.name, outcome.stack);
    const conversation = conversationOf(message);
    this.#appender.submit(
      resultDraft(module, { subject, seq: message.seq, conversation }, outcome),
      (stored) => {
        // Not stored, or unknown: the session is over, and the log will tell.
        if (E.isLeft(stored)) return this.#break(stored.left);
        failPoint('host.acknowledged');
        this.#options.times.stored((message.timeUs ?? message.timeMs * 1_000) / 1_000, begunMs);
        keep(stored.right.seq, Date.now());
        effects.forget(message.seq);
        cancels.forget(message.seq);
        this.#copies.add({ seq: message.seq, conversation, schema: this.#schema, out: outcome.out });
        scheduler.stored(command);
      },
    );
    failPoint('host.appended');
    this.#copies.send();
  }

  #finished(seq: number): void {
    failPoint('host.finished');
    const isDelivered = this.#sleeping.finished(seq);
    this.#wakeNext();
    if (isDelivered) this.#acknowledgeLater(seq);
  }

  #acknowledgeLater(seq: number): void {
    this.#checkpoint.finished(seq);
    this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_INTERVAL_MS).unref();
    // Without asking here, a full window stays full.
    this.#ask();
  }

  /** A hint for lag and where the next start begins to look: losing one costs a little reading, never a command. */
  #acknowledge(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    const reached = this.#checkpoint.advance();
    if (reached === undefined || this.#over) return;
    const { nc, module } = this.#options;
    nc.publish(acknowledgementOf(commandConsumer(module.manifest.name), reached), '+ACK');
    failPoint('host.checkpointed');
  }
}
