import { AsyncLocalStorage } from 'node:async_hooks';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { fault } from '../../schemas/errors.js';
import { DEFAULT_CONCURRENCY, DEFAULT_DEADLINE_MS } from '../../schemas/manifest.js';
import { refusal } from '../../schemas/result.js';
import { mayCall } from '../sdk/admission.js';
import { type AnyEvent, withEmitted } from '../sdk/outcome.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command, EffectAction, EffectContext } from '../sdk/module.js';
import type { BlackBox } from './black-box.js';
import { makeCall } from './calls.js';
import { type Outcome, outcomeOf, refused, threw } from './outcome.js';
import { Slots } from './slots.js';

type AnyEffect = EffectAction<unknown, unknown, unknown, AnyEvent>;

/** Which command's handler the running code belongs to, across awaits: whoever ends the process can be named. */
export const inHand = new AsyncLocalStorage<number>();

/**
 * Runs effectful handlers: with a deadline, so many of an action at a time, and at most once at a time for a command. A
 * handler outlives a lost connection: when its command comes again it is the same run whose outcome is stored.
 */
export class Effects {
  readonly #runs = new Map<number, Promise<Outcome>>();
  readonly #slots = new Map<string, Slots>();
  /** Handlers that may have ended the process before: they run alone, so that the next end has one cause. */
  readonly #suspects: Set<number>;
  readonly #alone = new Slots(1);
  #held: (() => void)[] = [];
  /** Handlers that wait for a call to this very module, and all that run. */
  #inOwnCalls = 0;
  #running = 0;

  constructor(
    private readonly module: AnyModule,
    private readonly checks: Checks,
    private readonly nc: NatsConnection,
    private readonly blackBox: BlackBox,
    private readonly onStalled: () => void,
  ) {
    this.#suspects = new Set(blackBox.lastMoments.suspects);
  }

  /** Whether nothing goes on until a command that is further down the log is handled. */
  get stalled(): boolean {
    return this.#running > 0 && this.#inOwnCalls === this.#running;
  }

  /** The outcome of a command, by a run that is under way or a new one. `state` is the state of its agent now. */
  run(action: string, command: Command, state: () => unknown, settle: (outcome: Outcome) => void): void {
    const running = this.#runs.get(command.seq);
    if (running !== undefined) return void running.then(settle);
    const outcome = new Promise<Outcome>((resolve) => {
      this.#admit(action, command.seq, (leave) => {
        void this.#handle(action, command, state()).then((handled) => {
          leave();
          resolve(handled);
        });
      });
    });
    this.#runs.set(command.seq, outcome);
    void outcome.then(settle);
  }

  /** The command is answered, by this run, another process or a refusal: nothing waits for it any more. */
  answered(seq: number): void {
    this.#runs.delete(seq);
    if (this.#suspects.delete(seq) && this.#suspects.size === 0) this.#release();
  }

  #admit(action: string, seq: number, begin: (leave: () => void) => void): void {
    if (this.#suspects.has(seq)) {
      this.#alone.take(() => begin(() => this.#alone.give()));
      return;
    }
    const enter = (): void => this.#slotsOf(action).take(() => begin(() => this.#slotsOf(action).give()));
    if (this.#suspects.size > 0) this.#held.push(enter);
    else enter();
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const enter of held) enter();
  }

  #slotsOf(action: string): Slots {
    let slots = this.#slots.get(action);
    if (slots === undefined) {
      slots = new Slots(this.module.manifest.actions[action]?.concurrency ?? DEFAULT_CONCURRENCY);
      this.#slots.set(action, slots);
    }
    return slots;
  }

  async #handle(action: string, command: Command, state: unknown): Promise<Outcome> {
    const named = `${this.module.manifest.name}.${action}`;
    const deadlineMs = this.module.manifest.actions[action]?.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const abort = new AbortController();
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
    const handled = this.#invoke(action, command, state, abort.signal).then(
      (returned) => outcomeOf(this.module, this.checks, action, command, returned),
      (error: unknown) => threw(named, error),
    );
    const outcome = await Promise.race([handled, late]);
    clearTimeout(timer);
    this.blackBox.ended(command.seq);
    this.#running -= 1;
    return outcome;
  }

  #invoke(action: string, command: Command, state: unknown, signal: AbortSignal): Promise<unknown> {
    return inHand.run(command.seq, async () => {
      this.blackBox.enter(command.seq);
      try {
        const { run } = this.module.actions[action] as AnyEffect;
        const emitted: AnyEvent[] = [];
        const context = this.#context(command, state, signal, (event) => emitted.push(event));
        const running = run(command, context)();
        return running.then((returned) => withEmitted(returned, emitted));
      } finally {
        this.blackBox.leave();
      }
    });
  }

  #context(
    command: Command,
    state: unknown,
    signal: AbortSignal,
    emit: (event: AnyEvent) => void,
  ): EffectContext<unknown, AnyEvent> {
    let calls = 0;
    return {
      state,
      signal,
      emit,
      call: (manifest, action, agent, data) => async () => {
        const target = {
          module: manifest.name,
          name: action as string,
          ...(agent === undefined ? {} : { agent }),
        };
        const allowed = mayCall(this.module.manifest, command.agent, target);
        if (E.isLeft(allowed)) return E.left(refusal(allowed.left));
        calls += 1;
        const own = manifest.name === this.module.manifest.name;
        if (own) {
          this.#inOwnCalls += 1;
          if (this.stalled) this.onStalled();
        }
        const answer = await makeCall(this.nc, { target, data, cause: command.seq, call: calls, signal });
        if (own) this.#inOwnCalls -= 1;
        return answer as E.Either<ReturnType<typeof refusal>, never>;
      },
    };
  }
}
