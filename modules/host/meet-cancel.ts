import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { type CancelledCommand, cancelledRefusal } from '../../schemas/cancel.js';
import type { CallsReply } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import type { CancelledStep } from '../../schemas/step.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { Command } from '../sdk/module-shape.js';
import type { KnownCancels } from './cancels.js';
import type { StepAnswer } from './run-step.js';
import type { StepLog } from './step-log.js';

export interface CancelMeetingOptions {
  readonly cancels: KnownCancels | undefined;
  readonly steps: Pick<StepLog, 'at' | 'store'>;
  readonly command: Command;
  /** Another run may have made calls and steps before this one. */
  readonly isAgain: boolean;
  /** Another run may have begun an operation that the log does not have. */
  readonly mayHaveBegun: boolean;
  /** What the log has of the command's handler. */
  readonly recorded: () => Promise<CallsReply>;
  /** The record of a step at a number. */
  readonly draftOf: (call: number, body: Uint8Array) => Draft;
  readonly isOver: () => boolean;
}

/** A call or a step that a handler is about to make. */
interface Operation {
  readonly call: number;
  /** The name of the step, or `call MODULE.ACTION[.AGENT]`. */
  readonly name: string;
}

/**
 * Where one run of a handler meets the cancel of its command, once: at the next call or step that it begins. The record
 * at that number says so, and each later run meets it there. From then on calls, steps and waits work again.
 *
 * An operation that has begun is finished. So a run that is not the first makes the first operation that the log does
 * not have: the process before may have begun it. Such a run asks the log for the cancel too, because the broker may
 * tell of it later than the handler runs.
 */
export class CancelMeeting {
  #met: CancelledCommand | undefined;
  /** What the log has of the runs before. */
  #before: Promise<CallsReply> | CallsReply | undefined;
  /** The cancel, as the log had it when the run began. */
  #inLog: CancelledCommand | undefined;
  /** Calls that ended with CANCELLED. */
  readonly #cancelledCalls = new Set<number>();
  /** Decisions are made in the order of the numbers: a record that an earlier number has counts for the later ones. */
  #deciding: Promise<unknown> = Promise.resolve();
  /** Compensations run: a cancel that comes now is met later, or not at all. */
  #shields = 0;

  constructor(private readonly options: CancelMeetingOptions) {}

  /** Runs compensations, in which the cancel is not met. */
  async shielded<T>(run: () => Promise<T>): Promise<T> {
    this.#shields += 1;
    try {
      return await run();
    } finally {
      this.#shields -= 1;
    }
  }

  /** Nothing that begins now is cancelled: compensations run, or the run has met the cancel. */
  get isShielded(): boolean {
    return this.#shields > 0 || this.met !== undefined;
  }

  /** The cancel, once the run has met it. A call that was cancelled for it is such a place too. */
  get met(): CancelledCommand | undefined {
    const cancel = this.#cancel;
    const isMetByCall = cancel?.children?.some((child) => this.#cancelledCalls.has(child)) === true;
    if (isMetByCall) this.#met ??= cancel;
    return this.#met;
  }

  /** What the log had of the runs before this one when it began. */
  before(): Promise<CallsReply> | CallsReply {
    const { isAgain, recorded } = this.options;
    this.#before ??= isAgain ? recorded() : NOTHING;
    return this.#before;
  }

  /** A call ended with CANCELLED; `command`: its own. If the cancel of this run cancelled it, the run has met it. */
  callCancelled(command: number | undefined): void {
    if (command !== undefined) this.#cancelledCalls.add(command);
  }

  /** What a wait gets of its wake: the broker wakes a handler that is cancelled. */
  woken(said: E.Either<Refusal, unknown>, isShielded: boolean): E.Either<Refusal, unknown> {
    const cancel = this.#cancel;
    if (E.isRight(said) || said.left.error.code !== 'CANCELLED' || cancel === undefined) return said;
    // Earlier versions woke a compensation too: it sleeps less long.
    if (isShielded) return E.right(undefined);
    this.#met ??= cancel;
    return E.left(cancelledRefusal(cancel.cancel));
  }

  /** What the operation gets instead, if the run meets the cancel here; undefined: it is made. */
  at(operation: Operation): Promise<StepAnswer | undefined> | undefined {
    if (this.#shields > 0 || (!this.options.isAgain && this.#cancel === undefined)) return undefined;
    const deciding = this.#deciding.then(() => this.#decide(operation));
    this.#deciding = deciding;
    return deciding;
  }

  get #cancel(): CancelledCommand | undefined {
    return this.options.cancels?.of(this.options.command.seq) ?? this.#inLog;
  }

  async #decide({ call, name }: Operation): Promise<StepAnswer | undefined> {
    const { command, steps, mayHaveBegun, draftOf, isOver } = this.options;
    const place = { cause: command.seq, call };
    const { calls: recorded, cancelled, isCancelMet } = await this.before();
    this.#inLog ??= cancelled;
    const cancel = this.#cancel;
    if (cancel === undefined) return undefined;
    if (call <= recorded) {
      if (isCancelMet !== true) return undefined;
      const { step } = await steps.at(place);
      if (step?.status !== 'cancelled') return undefined;
      this.#met = cancel;
      const differs = step.name === name ? undefined : cancelDiffers(place, step.name, name);
      if (differs !== undefined) return { said: E.left(refusal(differs)), differs };
      return { said: E.left(cancelledRefusal(cancel.cancel)), body: encodeJson(step) };
    }
    // A run before has met it at a number that is behind this one, at the same time.
    if (isCancelMet === true) this.#met ??= cancel;
    if (this.met !== undefined || (mayHaveBegun && call === recorded + 1)) return undefined;
    this.#met = cancel;
    const step: CancelledStep = { name, status: 'cancelled', cancel: cancel.cancel, attempts: 1 };
    const body = encodeJson(step);
    const stored = await steps.store(place, withHeader(draftOf(call, body), cancel.cancel), isOver);
    if (E.isLeft(stored)) return { said: E.left(refusal(stored.left)) };
    failPoint('cancel.met');
    return { said: E.left(cancelledRefusal(cancel.cancel)), body };
  }
}

const NOTHING: CallsReply = { calls: 0 };

const withHeader = (draft: Draft, cancel: number): Draft => ({
  ...draft,
  headers: { ...draft.headers, [HEADER.cancelled]: String(cancel) },
});

const cancelDiffers = (
  { cause, call }: { readonly cause: number; readonly call: number },
  was: string,
  is: string,
): Fault =>
  fault(
    'REPLAY_DIFFERS',
    `at number ${call}, ${was} of command ${cause} met the cancel; the handler that runs again asks for ${is}`,
  );
