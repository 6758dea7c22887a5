import assert from 'node:assert/strict';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Refusal } from '../../schemas/result.js';
import { mayHandle, mayCall } from '../../modules/sdk/may-call.js';
import { compileChecks } from '../../modules/sdk/checks.js';
import type { TypedManifest } from '../../modules/sdk/define-manifest.js';
import type { EffectContext, Send } from '../../modules/sdk/module-shape.js';
import { send } from '../../modules/sdk/send-command.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { frozen } from './plain.js';
import { must } from './subject.js';

/** Answers the n-th call of a handler, n from 1. */
export type ScriptedReply = (call: Send, n: number) => Either<Refusal, unknown>;

/** The answer of an action that did what it was asked. */
export const answered = (data: unknown): Either<Refusal, unknown> => right(data);

/** The answer of an action that refused. */
export const rejected = (
  code: string,
  message = `refused by the specification: ${code}`,
): Either<Refusal, never> => left({ status: 'rejected', error: { code, message, retryable: false } });

export interface ScriptedCall {
  readonly call: Send;
  readonly answer: Either<Refusal, unknown>;
}

/**
 * A context whose calls are answered by a script. A call that production would refuse fails the specification, also
 * when the handler would have lived with the refusal: it is a mistake of the module, not a case to be handled.
 */
export const scriptedContext = (
  manifest: TypedManifest,
  agent: string,
  state: unknown,
  reply: ScriptedReply,
): {
  context: EffectContext<unknown, AnyEvent>;
  emitted: readonly AnyEvent[];
  recorded: readonly ScriptedCall[];
  mistakes: readonly Error[];
} => {
  const recorded: ScriptedCall[] = [];
  const mistakes: Error[] = [];
  const emitted: AnyEvent[] = [];
  const emit = (event: AnyEvent): void => {
    emitted.push(frozen(event));
  };

  const callOnce = (callee: TypedManifest, call: Send): Either<Refusal, unknown> => {
    const what = `call ${recorded.length + 1}, ${call.module}.${call.name}`;
    const checks = compileChecks(callee);
    must(mayCall(manifest, agent, call), what);
    must(mayHandle(callee, checks, { ...call, action: call.name, sender: manifest.name }), what);
    const given = reply(call, recorded.length + 1);
    if (!isLeft(given)) must(checks.output(call.name)(given.right), `the answer to ${what}`);
    recorded.push({ call, answer: frozen(given) });
    return frozen(given);
  };

  const call = ((callee: TypedManifest, action: string, to: string | undefined, data: unknown) =>
    async () => {
      try {
        return callOnce(callee, frozen(send(callee, action, to, data)));
      } catch (error) {
        mistakes.push(error as Error);
        throw error;
      }
    }) as (...args: readonly unknown[]) => TaskEither<Refusal, unknown> as EffectContext<
    unknown,
    AnyEvent
  >['call'];

  return {
    context: { state, signal: new AbortController().signal, call, emit },
    emitted,
    recorded,
    mistakes,
  };
};

/** Gives the answers of a first run to a second one, which must ask the same. */
export const replaying =
  (recorded: readonly ScriptedCall[]): ScriptedReply =>
  (call, n) => {
    const before = recorded[n - 1];
    assert.deepStrictEqual(
      call,
      before?.call,
      `run again after a crash, the handler makes another call ${n}`,
    );
    return (before as ScriptedCall).answer;
  };
