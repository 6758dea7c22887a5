import * as E from 'fp-ts/lib/Either.js';
import { type CancelledCommand, cancelledRefusal } from '../../schemas/cancel.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { copyId } from '../../schemas/identity.js';
import { encodeJson } from '../../schemas/json.js';
import { isDeeperThan, MAX_STORED_DEPTH } from '../../schemas/json-depth.js';
import { MAX_RECORD_BYTES } from '../../schemas/log.js';
import { type Ok, type Out, type Refusal, type Result, refusal } from '../../schemas/result.js';
import { copiesIn, type PromisedCopy } from '../../schemas/result-bytes.js';
import { commandSubject, eventSubject } from '../../schemas/subjects.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command, Rejection } from '../sdk/module-shape.js';
import { messageOf } from '../../text/thrown-message.js';
import { stackOf } from '../sdk/thrown-text.js';
import { type AnyDecision, type AnyEvent, checkDecision, checkRejection } from '../sdk/checked-outcome.js';

/** A handled command, ready to be stored: the body of its `res` record and what it stands for. */
export interface Outcome {
  readonly body: Uint8Array;
  /** Copies to store behind it: slices of the body. */
  readonly out: readonly PromisedCopy[];
  /** What the agent's state folds. */
  readonly events: readonly AnyEvent[];
  /** What the body says when it is not ok. */
  readonly refusal?: Refusal;
  /** Another run would end the same. */
  readonly final?: boolean;
  /** Where the module's code threw: for the operator alone, never a part of the body. */
  readonly stack?: string;
  /** Of an effectful handler: how many calls its run has asked for, and what its result says of them. */
  readonly calls?: { readonly asked: number; readonly stated: string | undefined };
  /** The command was cancelled, by this record: the outcome is that. */
  readonly cancelled?: number;
  /** How often the command was tried; 1 when absent. */
  readonly attempts?: number;
}

const decoder = new TextDecoder();

/** Subject, headers and the envelope's own text around a result. */
export const ENVELOPE_BYTES = 1_024;

/** What an error says may be of a handler's or a sender's making, and longer than a record. */
const MAX_TEXT = 4_096;

const clip = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);

/** A path is whole or not there: cut, it would name another place. */
const pathOf = (path: string | undefined): { path?: string } =>
  path === undefined || path.length > MAX_TEXT ? {} : { path };

const refusing = (said: Refusal): Outcome => ({ body: encodeJson(said), out: [], events: [], refusal: said });

export const refusedOutcome = ({ code, message, path, retryable }: Fault): Outcome =>
  refusing(refusal({ code, message: clip(message), ...pathOf(path), retryable }));

/** The outcome of a command that was cancelled before its handler began. */
export const cancelledOutcome = ({ cancel }: CancelledCommand): Outcome => ({
  ...refusing(cancelledRefusal(cancel)),
  cancelled: cancel,
});

/** The outcome of a handler that threw. Never throws itself, whatever was thrown. */
export const threw = (what: string, error: unknown): Outcome => ({
  ...refusedOutcome(fault('HANDLER_THREW', `${what} threw: ${messageOf(error)}`)),
  stack: stackOf(error),
});

const rejected = ({ code, message, path, retryable }: Rejection): Refusal => ({
  status: 'rejected',
  error: {
    code,
    message: clip(String(message)),
    ...pathOf(path === undefined ? undefined : String(path)),
    retryable: retryable === true,
  },
});

const outOf = (
  module: string,
  command: Command,
  { events = [], commands = [] }: AnyDecision,
): readonly Out[] => {
  const agent = command.agent === '' ? {} : { agent: command.agent };
  const subjects = [
    ...events.map(({ name, data }) => ({ subject: eventSubject({ module, name, ...agent }), data })),
    ...commands.map((send) => ({ subject: commandSubject(send), data: send.data })),
  ];
  return subjects.map(({ subject, data }, i) => ({ subject, id: copyId(command.seq, i + 1), data }));
};

const isEither = (value: unknown): value is E.Either<Rejection, AnyDecision> => {
  const tag = (value as { _tag?: unknown } | null | undefined)?._tag;
  return tag === 'Left' || tag === 'Right';
};

/** The outcome of what a handler returned, or of why that cannot be recorded. Never throws. */
export const outcomeOf = (
  { manifest }: AnyModule,
  checks: Checks,
  action: string,
  command: Command,
  returned: unknown,
): Outcome => {
  try {
    if (!isEither(returned)) {
      return refusedOutcome(
        fault('OUTCOME_INVALID', `the handler of ${manifest.name}.${action} returned no Either`),
      );
    }
    if (E.isLeft(returned)) {
      const checked = checkRejection(manifest, action, returned.left);
      if (E.isLeft(checked)) return refusedOutcome(checked.left);
      return refusing(rejected(returned.left));
    }
    const decision = returned.right;
    const checked = checkDecision(manifest, checks, action, decision);
    if (E.isLeft(checked)) return refusedOutcome(checked.left);
    const out = outOf(manifest.name, command, decision);
    const result: Result = { status: 'ok', data: decision.data, ...(out.length === 0 ? {} : { out }) };
    const body = encodeJson(result);
    if (body.length > MAX_RECORD_BYTES - ENVELOPE_BYTES) {
      const text = `the outcome of ${manifest.name}.${action} has ${body.length} bytes, a record holds ${MAX_RECORD_BYTES}`;
      return refusedOutcome(fault('OUTCOME_TOO_LARGE', text));
    }
    if (isDeeperThan(body, MAX_STORED_DEPTH)) {
      const text = `the outcome of ${manifest.name}.${action} is nested more than ${MAX_STORED_DEPTH} levels deep: return less deep data`;
      return refusedOutcome(fault('OUTCOME_INVALID', text));
    }
    if (out.length === 0) return { body, out: [], events: [] };
    // Copies and states are made from what is recorded and not from what was returned: JSON has no -0 and no Date,
    // and a handler may change later what it returned. A state that is folded again from the log must come out the
    // same (I6).
    const recorded = (JSON.parse(decoder.decode(body)) as Ok).out ?? [];
    const folded = (decision.events ?? []).map(({ name }, i) => ({ name, data: recorded[i]?.data }));
    const copies = copiesIn(body);
    if (copies.length < out.length) {
      const text = `${manifest.name}.${action} returned an event or a command without data, which JSON cannot say`;
      return refusedOutcome(fault('OUTCOME_INVALID', text));
    }
    return { body, out: copies, events: folded };
  } catch (error) {
    // What cannot be checked or encoded: a value that throws when it is read, a circle, a BigInt.
    const text = `what ${manifest.name}.${action} returned: ${messageOf(error)}`;
    return { ...refusedOutcome(fault('OUTCOME_INVALID', text)), stack: stackOf(error) };
  }
};
