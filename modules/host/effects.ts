import type { CancelledCommand } from '../../schemas/cancel.js';
import { retryOf } from '../../schemas/manifest.js';
import type { LineAbout } from '../../schemas/log-lines.js';
import type { Refusal } from '../../schemas/result.js';
import { callsLeftOut } from './calls-made.js';
import { PARKED, type Parked, runHandler } from './handler-run.js';
import type { Errand, HandlerTry, RunSurroundings } from './one-run.js';
import { cancelledOutcome, type Outcome, refusedOutcome } from './handler-outcome.js';
import { deadlinePast } from './read-command.js';
import { pauseBeforeNext } from './retry.js';
import type { Throws } from './throws.js';
import type { CommandScheduler, WaitingHandler } from './schedule/command-scheduler.js';

/** What of the scheduler concerns handlers. */
type Handlers = Pick<CommandScheduler<never>, 'run' | 'handlerEnded' | 'acquit' | 'ownCalls'>;

export interface EffectsOptions extends Omit<RunSurroundings, 'onOwnCalls' | 'running'> {
  readonly scheduler: Handlers;
  /** A command is tried again: for people. */
  readonly say: (line: string, about?: LineAbout) => void;
  readonly throws: Pick<Throws, 'show'>;
  /** Whether the process before had begun the handler of a command, and may not have stored its result. */
  readonly hadBegun?: (command: number) => boolean;
}

/**
 * Runs effectful handlers: when the scheduler has a place, with a deadline, at most once at a time for a command, and
 * again after a pause where the manifest says so. A handler outlives a lost connection: when its command comes again
 * it is the same run whose outcome is stored.
 */
export class Effects {
  readonly #surroundings: RunSurroundings;
  readonly #runs = new Map<number, Promise<Outcome | Parked | undefined>>();
  /** Ends each pause before a next try, by command. */
  readonly #pauses = new Map<number, () => void>();
  /** Looks at a handler that waits for its place: its command is cancelled. */
  readonly #waiting = new Map<number, () => void>();
  #draining = false;

  constructor(private readonly options: EffectsOptions) {
    this.#surroundings = {
      ...options,
      running: new Map(),
      onOwnCalls: (more) => options.scheduler.ownCalls(more),
    };
  }

  /**
   * The outcome of a command, by a run that is under way or a new one. Undefined when the module stops before there
   * is one: no try had begun, or another one was to come. Parked when its handler waits.
   */
  run(errand: Errand, settle: (outcome: Outcome | Parked | undefined) => void): void {
    const { seq } = errand.command;
    const running = this.#runs.get(seq);
    if (running !== undefined) {
      // Its waits may have ended while nobody heard of it.
      this.woken(seq);
      return void running.then(settle);
    }
    const outcome = this.#tries(errand);
    this.#runs.set(seq, outcome);
    // A parked run must not be taken for one that lasts: the next session asks the log.
    void outcome.then((ended) => {
      if (ended === PARKED && this.#runs.get(seq) === outcome) this.#runs.delete(seq);
    });
    void outcome.then(settle);
  }

  /** The log has a wake of a command whose handler may run. */
  woken(seq: number): void {
    this.#surroundings.running.get(seq)?.woken();
  }

  /** Whether a handler that runs waits for a wake. */
  get hasWaits(): boolean {
    return [...this.#surroundings.running.values()].some(({ hasWaits }) => hasWaits);
  }

  /** Whether the handler of a command runs, or is to be tried again. */
  isRunning(seq: number): boolean {
    return this.#runs.has(seq);
  }

  /** The command has its result, by this run, another process or a refusal: nothing waits for it any more. */
  forget(seq: number): void {
    this.#runs.delete(seq);
    this.#waiting.delete(seq);
    this.options.blackBox.forget(seq);
  }

  /** Tries nothing again: what runs may end, what waits is left for the next start. Idempotent. */
  drain(): void {
    this.#draining = true;
    for (const end of this.#pauses.values()) end();
  }

  /** A command is cancelled: one that waits for its handler's place or next try waits no longer. */
  cancelled(seq: number): void {
    this.#waiting.get(seq)?.();
    this.#pauses.get(seq)?.();
  }

  async #tries(errand: Errand): Promise<Outcome | Parked | undefined> {
    const { action, command } = errand;
    const { clock, random } = this.options;
    let { deadline } = errand;
    // A handler that has begun is finished, also behind its deadline: what it has done cannot expire.
    if (deadline !== undefined && errand.isOld) {
      if (await this.#hasBegun(errand)) deadline = undefined;
      if (!this.#runs.has(command.seq)) return undefined;
    }
    const retry = retryOf(this.options.module.manifest.actions[action]);
    let before: Outcome | undefined;
    for (let attempts = 1; ; attempts++) {
      const mayHaveBegun = errand.isOld || attempts > 1;
      const isAgain = mayHaveBegun || errand.isRestart;
      const outcome = await this.#try({ ...errand, deadline, isAgain, mayHaveBegun }, attempts > 1);
      if (outcome === undefined) return undefined;
      if (outcome === PARKED) {
        // It has not ended the process, so it was not this one, and no command need wait for that.
        this.options.scheduler.acquit(command.seq);
        return PARKED;
      }
      // The deadline passed while it waited for a place: what the last try came to is the answer.
      if (before !== undefined && outcome.refusal?.status === 'expired') return this.#whole(errand, before);
      before = { ...outcome, attempts };
      const pauseMs = pauseBeforeNext(retry, outcome, attempts, deadline, clock.now(), random());
      if (pauseMs === undefined) return this.#whole(errand, before);
      if (this.#draining) return undefined;
      // It has ended without ending the process, so it was not this one, and no command need wait for that.
      this.options.scheduler.acquit(command.seq);
      const { code, message } = (outcome.refusal as Refusal).error;
      const text = `command ${command.seq} failed at try ${attempts} of ${retry.attempts} and is tried again in ${pauseMs} ms: ${code}: ${message}`;
      const about = { level: 'warn', seq: command.seq, conversation: command.conversation } as const;
      if (outcome.stack === undefined) this.options.say(text, about);
      else this.options.throws.show(text, outcome.stack, about);
      await this.#pause(command.seq, pauseMs);
      if (this.#draining || !this.#runs.has(command.seq)) return undefined;
    }
  }

  /** An outcome counts only if its run has made all calls that the log has of the command (I11). */
  async #whole({ command, isOld, isRestart }: Errand, outcome: Outcome): Promise<Outcome> {
    const { calls, refusal, attempts = 1 } = outcome;
    const decides = refusal === undefined || refusal.status === 'rejected';
    // If no process has run this handler before, its calls are those of this run.
    if (!decides || calls === undefined || (!isOld && !isRestart && attempts === 1)) return outcome;
    const recorded = await this.options.steps.last(command.seq);
    const differs = callsLeftOut(command.seq, calls.asked, recorded);
    return differs === undefined ? outcome : { ...refusedOutcome(differs), attempts };
  }

  /** Whether a process before this one has begun with the handler, as far as log and machine know. */
  async #hasBegun({ command, isOld, isRestart }: Errand): Promise<boolean> {
    const { steps, hadBegun } = this.options;
    if (!isOld && !isRestart) return false;
    return hadBegun?.(command.seq) === true || (await steps.last(command.seq)) > 0;
  }

  /** The cancel of a command whose handler has not begun. */
  async #cancelBefore(errand: Errand, begun: boolean): Promise<CancelledCommand | undefined> {
    const cancel = begun ? undefined : this.options.cancels?.of(errand.command.seq);
    return cancel === undefined || (await this.#hasBegun(errand)) ? undefined : cancel;
  }

  /** One run of the handler, once there is a place for it; `begun`: a try before it was in this process. */
  #try(errand: HandlerTry, begun: boolean): Promise<Outcome | Parked | undefined> {
    const { action, command, deadline } = errand;
    const { seq, agent, sender } = command;
    return new Promise((resolve) => {
      let waits = true;
      const cancelled = async (): Promise<void> => {
        const cancel = await this.#cancelBefore(errand, begun);
        if (cancel === undefined || !waits) return;
        waits = false;
        resolve(cancelledOutcome(cancel));
      };
      const begin = (): void => {
        this.#waiting.delete(seq);
        // Its command was cancelled while it waited.
        if (!waits) return this.options.scheduler.handlerEnded(handler);
        waits = false;
        const now = this.options.clock.now();
        if (deadline !== undefined && deadline < now) {
          this.options.scheduler.handlerEnded(handler);
          return resolve(refusedOutcome(deadlinePast(deadline)));
        }
        void runHandler(this.#surroundings, errand).then((outcome) => {
          this.options.scheduler.handlerEnded(handler);
          resolve(outcome);
        });
      };
      const handler: WaitingHandler = { seq, agent, sender, action, begin, drop: () => resolve(undefined) };
      const wait = (): void => {
        if (!waits) return;
        this.#waiting.set(seq, () => void cancelled());
        this.options.scheduler.run(handler);
      };
      if (this.options.cancels?.of(seq) === undefined) wait();
      else void cancelled().then(wait);
    });
  }

  #pause(seq: number, ms: number): Promise<void> {
    return new Promise((resume) => {
      const end = (): void => {
        stop();
        this.#pauses.delete(seq);
        resume();
      };
      const stop = this.options.clock.after(ms, end);
      this.#pauses.set(seq, end);
    });
  }
}
