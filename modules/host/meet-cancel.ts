import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { type CancelledCommand, cancelledRefusal } from '../../schemas/cancel.js';
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
  /** The highest number that the log has of the command. */
  readonly last: () => Promise<number> | number;
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
 * Where one run of a handler meets the cancel of its command: at the next call or step that it begins. The record at
 * that number says so, and each later run meets it there. From then on calls and steps work again.
 *
 * An operation that has begun is finished. So a run that is not the first makes the first operation that the log does
 * not have: the process before may have begun it.
 */
export class CancelMeeting {
  #met: CancelledCommand | undefined;
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

  /** The cancel, once the run has met it. */
  get met(): CancelledCommand | undefined {
    return this.#met;
  }

  /** A call ended with CANCELLED; `command`: its own. If the cancel of this run cancelled it, the run has met it. */
  callCancelled(command: number | undefined): void {
    if (command !== undefined) this.#cancelledCalls.add(command);
  }

  /** What a wait gets of its wake: the broker wakes a handler that is cancelled. */
  woken(said: E.Either<Refusal, unknown>): E.Either<Refusal, unknown> {
    const cancel = this.options.cancels?.of(this.options.command.seq);
    if (E.isLeft(said) && said.left.error.code === 'CANCELLED' && cancel !== undefined) {
      // A compensation sleeps less long.
      if (this.#shields > 0) return E.right(undefined);
      this.#met ??= cancel;
      return E.left(cancelledRefusal(cancel.cancel));
    }
    return said;
  }

  /** What the operation gets instead, if the run meets the cancel here; undefined: it is made. */
  at(operation: Operation): Promise<StepAnswer | undefined> | undefined {
    if (this.#shields > 0) return undefined;
    const cancel = this.options.cancels?.of(this.options.command.seq);
    if (cancel === undefined) return undefined;
    const deciding = this.#deciding.then(() => this.#decide(operation, cancel));
    this.#deciding = deciding;
    return deciding;
  }

  async #decide({ call, name }: Operation, cancel: CancelledCommand): Promise<StepAnswer | undefined> {
    if (cancel.children?.some((child) => this.#cancelledCalls.has(child)) === true) this.#met ??= cancel;
    const { command, steps, isAgain, last, draftOf, isOver } = this.options;
    const place = { cause: command.seq, call };
    const recorded = await last();
    if (call <= recorded) {
      const { step } = await steps.at(place);
      if (step?.status !== 'cancelled') return undefined;
      this.#met = cancel;
      const differs = step.name === name ? undefined : cancelDiffers(place, step.name, name);
      if (differs !== undefined) return { said: E.left(refusal(differs)), differs };
      return { said: E.left(cancelledRefusal(cancel.cancel)), body: encodeJson(step) };
    }
    if (this.#met !== undefined || (isAgain && call === recorded + 1)) return undefined;
    this.#met = cancel;
    const step: CancelledStep = { name, status: 'cancelled', cancel: cancel.cancel, attempts: 1 };
    const body = encodeJson(step);
    const stored = await steps.store(place, withHeader(draftOf(call, body), cancel.cancel), isOver);
    if (E.isLeft(stored)) return { said: E.left(refusal(stored.left)) };
    failPoint('cancel.met');
    return { said: E.left(cancelledRefusal(cancel.cancel)), body };
  }
}

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
