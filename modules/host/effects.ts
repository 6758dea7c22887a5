import { AsyncLocalStorage } from 'node:async_hooks';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { fault } from '../../schemas/errors.js';
import { DEFAULT_CONCURRENCY, DEFAULT_DEADLINE_MS, retryOf } from '../../schemas/manifest.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { mayCall } from '../sdk/admission.js';
import { type AnyEvent, withEmitted } from '../sdk/outcome.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command, EffectAction, EffectContext } from '../sdk/module.js';
import type { BlackBox } from './black-box.js';
import { makeCall } from './calls.js';
import { type Outcome, outcomeOf, refused, threw } from './outcome.js';
import { deadlinePast } from './read-command.js';
import { pauseBeforeNext } from './retry.js';
import { Slots } from './slots.js';
import { Urgency } from './urgency.js';

type AnyEffect = EffectAction<unknown, unknown, unknown, AnyEvent>;

/** Which command's handler the running code belongs to, across awaits: whoever ends the process can be named. */
export const inHand = new AsyncLocalStorage<number>();

/** A command for an effectful handler. */
export interface Errand {
  readonly action: string;
  readonly command: Command;
  readonly urgent: boolean;
  /** When it is not to be handled any more, milliseconds since 1970. */
  readonly deadline: number | undefined;
  /** State of its agent, when a try begins. */
  readonly state: () => unknown;
}

/** One run of a handler. */
interface Run {
  readonly signal: AbortSignal;
  readonly emitted: AnyEvent[];
  /** What its calls were refused with. */
  readonly refusals: WeakSet<object>;
  /** Calls to its own module that it waits for. */
  ownCalls: number;
  over: boolean;
}

/**
 * Runs effectful handlers: with a deadline, so many of an action at a time, at most once at a time for a command, and
 * again after a pause where the manifest says so. A handler outlives a lost connection: when its command comes again it is
 * the same run whose outcome is stored.
 */
export class Effects {
  readonly urgency = new Urgency();
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
    private readonly checks: Checks,
    private readonly nc: NatsConnection,
    private readonly blackBox: BlackBox,
    private readonly onStalled: () => void,
    private readonly say: (line: string) => void,
  ) {
    this.#suspects = new Set(blackBox.lastMoments.suspects);
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
    for (let attempts = 1; ; attempts++) {
      const outcome = await this.#try(errand);
      if (outcome === undefined) return undefined;
      const pauseMs = pauseBeforeNext(retry, outcome, attempts, deadline, Date.now());
      if (pauseMs === undefined) return { ...outcome, attempts };
      if (this.#draining) return undefined;
      // It has ended without ending the process, so it was not this one; whoever waits for it to be known need not.
      this.#acquit(command.seq);
      const { code, message } = (outcome.refusal as Refusal).error;
      this.say(
        `command ${command.seq} failed at try ${attempts} of ${retry.attempts} and is tried again in ${pauseMs} ms: ${code}: ${message}`,
      );
      await this.#pause(pauseMs);
      if (this.#draining || !this.#runs.has(command.seq)) return undefined;
    }
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
        void this.#handle(errand).then((handled) => {
          leave();
          resolve(handled);
        });
      });
    });
  }

  #ownCalls(run: Run, more: number): void {
    if (run.over) return;
    run.ownCalls += more;
    this.#inOwnCalls += more;
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

  async #handle(errand: Errand): Promise<Outcome> {
    const { action, command } = errand;
    const named = `${this.module.manifest.name}.${action}`;
    const deadlineMs = this.module.manifest.actions[action]?.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const abort = new AbortController();
    const run: Run = { signal: abort.signal, emitted: [], refusals: new WeakSet(), ownCalls: 0, over: false };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => {
        abort.abort();
        resolve(
          refused(fault('HANDLER_TIMEOUT', `the handler of ${named} did not finish within ${deadlineMs} ms`)),
        );
      }, deadlineMs);
    });
    this.#running += 1;
    this.blackBox.began(command.seq);
    const handled = this.#invoke(errand, run).catch((error: unknown) => threw(named, error));
    const outcome = await Promise.race([handled, late]);
    clearTimeout(timer);
    this.blackBox.ended(command.seq);
    this.#running -= 1;
    // One that is late may go on; nobody waits for it any more.
    run.over = true;
    this.#inOwnCalls -= run.ownCalls;
    return outcome;
  }

  #invoke(errand: Errand, run: Run): Promise<Outcome> {
    const { action, command } = errand;
    return inHand.run(command.seq, async () => {
      this.blackBox.enter(command.seq);
      let running: Promise<unknown>;
      try {
        const handler = this.module.actions[action] as AnyEffect;
        running = handler.run(command, this.#context(errand, run))();
      } finally {
        this.blackBox.leave();
      }
      const returned = await running;
      const decided = withEmitted(returned, run.emitted);
      const outcome = outcomeOf(this.module, this.checks, action, command, decided);
      // What a call was answered is in the log: the next run gets the same.
      const said = (returned as { left?: unknown } | undefined)?.left;
      const final = typeof said === 'object' && said !== null && run.refusals.has(said);
      return final ? { ...outcome, final } : outcome;
    });
  }

  #context({ command, urgent, state }: Errand, run: Run): EffectContext<unknown, AnyEvent> {
    let calls = 0;
    return {
      state: state(),
      signal: run.signal,
      emit: (event) => run.emitted.push(event),
      call: (manifest, action, agent, data) => async () => {
        const target = {
          module: manifest.name,
          name: action as string,
          ...(agent === undefined ? {} : { agent }),
        };
        const allowed = mayCall(this.module.manifest, command.agent, target);
        if (E.isLeft(allowed)) return E.left(refusal(allowed.left));
        calls += 1;
        const call = calls;
        const own = manifest.name === this.module.manifest.name ? 1 : 0;
        this.#ownCalls(run, own);
        if (own > 0 && this.stalled) this.onStalled();
        const { signal } = run;
        const answer = await makeCall(this.nc, { target, data, cause: command.seq, call, urgent, signal });
        this.#ownCalls(run, -own);
        if (E.isLeft(answer)) run.refusals.add(answer.left.error);
        return answer as E.Either<ReturnType<typeof refusal>, never>;
      },
    };
  }
}
