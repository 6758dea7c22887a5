import type { NatsConnection } from 'nats';
import { DEFAULT_CONCURRENCY, retryOf } from '../../schemas/manifest.js';
import type { Refusal } from '../../schemas/result.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command } from '../sdk/define-module.js';
import type { BlackBox } from './black-box.js';
import { leftOut, recordedCalls } from './calls-made.js';
import { type Errand, type RunSurroundings, runHandler } from './handler-run.js';
import { type Outcome, refused } from './handler-outcome.js';
import { deadlinePast } from './read-command.js';
import { pauseBeforeNext } from './retry.js';
import type { Throws } from './throws.js';
import { Slots } from './semaphore.js';
import { Urgency } from './urgency.js';

/**
 * Runs effectful handlers: with a deadline, so many of an action at a time, at most once at a time for a command, and
 * again after a pause where the manifest says so. A handler outlives a lost connection: when its command comes again it is
 * the same run whose outcome is stored.
 */
export class Effects {
  readonly urgency = new Urgency();
  readonly #surroundings: RunSurroundings;
  readonly #runs = new Map<number, Promise<Outcome | undefined>>();
  readonly #slots = new Map<string, Slots>();
  /** Handlers that may have ended the process before: they run alone, so that the next end has one cause. */
  readonly #suspects: Set<number>;
  readonly #alone = new Slots(1, this.urgency);
  /** Ends each pause before a next try. */
  readonly #pauses = new Set<() => void>();
  #held: (() => void)[] = [];
  /** Handlers that wait for a call to this very module, and all that run. */
  #inOwnCalls = 0;
  #running = 0;
  #draining = false;

  constructor(
    private readonly module: AnyModule,
    checks: Checks,
    nc: NatsConnection,
    blackBox: BlackBox,
    onStalled: () => void,
    private readonly say: (line: string) => void,
    private readonly throws: Throws,
  ) {
    this.#suspects = new Set(blackBox.lastMoments.suspects);
    const onOwnCalls = (more: number): void => {
      this.#inOwnCalls += more;
      if (more > 0 && this.stalled) onStalled();
    };
    this.#surroundings = { module, checks, nc, blackBox, onOwnCalls };
  }

  /** Whether nothing goes on until a command that is further down the log is handled. */
  get stalled(): boolean {
    return this.#running > 0 && this.#inOwnCalls === this.#running;
  }

  /**
   * The outcome of a command, by a run that is under way or a new one. Undefined when the module stops before there is one:
   * no try had begun, or another one was to come.
   */
  run(errand: Errand, settle: (outcome: Outcome | undefined) => void): void {
    const { seq } = errand.command;
    const running = this.#runs.get(seq);
    if (running !== undefined) return void running.then(settle);
    const outcome = this.#tries(errand);
    this.#runs.set(seq, outcome);
    void outcome.then(settle);
  }

  /** The command is answered, by this run, another process or a refusal: nothing waits for it any more. */
  answered(seq: number): void {
    this.#runs.delete(seq);
    this.urgency.answered(seq);
    this.#acquit(seq);
  }

  /** Begins nothing more: what runs goes on, what waits is left for the next start. Idempotent. */
  drain(): void {
    this.#draining = true;
    for (const end of this.#pauses) end();
  }

  async #tries(errand: Errand): Promise<Outcome | undefined> {
    const { action, command, deadline } = errand;
    const retry = retryOf(this.module.manifest.actions[action]);
    let before: Outcome | undefined;
    for (let attempts = 1; ; attempts++) {
      const outcome = await this.#try(errand);
      if (outcome === undefined) return undefined;
      // The deadline passed while it waited for a place: what the last try came to is the answer.
      if (before !== undefined && outcome.refusal?.status === 'expired') return this.#whole(errand, before);
      before = { ...outcome, attempts };
      const pauseMs = pauseBeforeNext(retry, outcome, attempts, deadline, Date.now());
      if (pauseMs === undefined) return this.#whole(errand, before);
      if (this.#draining) return undefined;
      // It has ended without ending the process, so it was not this one; whoever waits for it to be known need not.
      this.#acquit(command.seq);
      const { code, message } = (outcome.refusal as Refusal).error;
      const text = `command ${command.seq} failed at try ${attempts} of ${retry.attempts} and is tried again in ${pauseMs} ms: ${code}: ${message}`;
      if (outcome.stack === undefined) this.say(text);
      else this.throws.show(text, outcome.stack);
      await this.#pause(pauseMs);
      if (this.#draining || !this.#runs.has(command.seq)) return undefined;
    }
  }

  /** An outcome counts only if its run has made all calls that the log has of the command (I11). */
  async #whole({ command, isOld }: Errand, outcome: Outcome): Promise<Outcome> {
    const { calls, refusal, attempts = 1 } = outcome;
    const decides = refusal === undefined || refusal.status === 'rejected';
    // Calls of this very run are all that there are where nobody has run before.
    if (!decides || calls === undefined || (!isOld && attempts === 1)) return outcome;
    const recorded = await recordedCalls(this.#surroundings.nc, this.module.manifest.name, command.seq);
    const differs = leftOut(command.seq, calls.asked, recorded);
    return differs === undefined ? outcome : { ...refused(differs), attempts };
  }

  /** One run of the handler, once there is room for it. */
  #try(errand: Errand): Promise<Outcome | undefined> {
    const { action, command, deadline } = errand;
    return new Promise((resolve) => {
      this.#admit(action, command, (leave) => {
        const now = Date.now();
        if (this.#draining || (deadline !== undefined && deadline < now)) {
          resolve(this.#draining ? undefined : refused(deadlinePast(deadline ?? now)));
          // Thousands may leave one after the other, which must not grow the stack.
          return queueMicrotask(leave);
        }
        this.#running += 1;
        void runHandler(this.#surroundings, errand).then((outcome) => {
          this.#running -= 1;
          leave();
          resolve(outcome);
        });
      });
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resume) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resume();
      };
      const timer = setTimeout(end, ms);
      this.#pauses.add(end);
    });
  }

  #admit(action: string, { seq, agent }: Command, begin: (leave: () => void) => void): void {
    if (this.#suspects.has(seq)) {
      this.#alone.take(agent, () => begin(() => this.#alone.give()));
      return;
    }
    const slots = this.#slotsOf(action);
    const enter = (): void => slots.take(agent, () => begin(() => slots.give()));
    if (this.#suspects.size > 0) this.#held.push(enter);
    else enter();
  }

  #acquit(seq: number): void {
    if (this.#suspects.delete(seq) && this.#suspects.size === 0) this.#release();
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const enter of held) enter();
  }

  #slotsOf(action: string): Slots {
    let slots = this.#slots.get(action);
    if (slots === undefined) {
      const places = this.module.manifest.actions[action]?.concurrency ?? DEFAULT_CONCURRENCY;
      slots = new Slots(places, this.urgency);
      this.#slots.set(action, slots);
    }
    return slots;
  }
}
