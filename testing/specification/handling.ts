import assert from 'node:assert/strict';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import type { Command } from '../../modules/sdk/module-shape.js';
import { withEmitted } from '../../modules/sdk/checked-outcome.js';
import type { DecisionOrRejection } from './assertions.js';
import {
  type ScriptedReply,
  type ScriptedCall,
  type ScriptedSignals,
  replaying,
  ScriptedCancel,
  ScriptedSteps,
  scriptedContext,
} from './scripted-calls.js';
import { admitted, assertRecordable } from './subject.js';

/** Handles a command by a pure action, twice: history is run again, and has to end the same. */
export const decidePurely = (
  subject: CompiledModule,
  action: string,
  state: unknown,
  command: Command,
): DecisionOrRejection => {
  const admission = admitted(subject, action, command);
  if (isLeft(admission)) return admission;
  const handler = subject.module.actions[action];
  if (handler === undefined || !('decide' in handler))
    assert.fail(`${action} is effectful: say how its calls are answered`);
  const outcome = handler.decide(state, admission.right) as DecisionOrRejection;
  const again = handler.decide(state, admission.right);
  assert.deepStrictEqual(again, outcome, `${action} decides differently when it decides again`);
  assertRecordable(subject, action, outcome);
  return outcome;
};

/** Handles a command by an effectful action whose calls are answered by a script, twice likewise. */
export const runScripted = async (
  subject: CompiledModule,
  action: string,
  state: unknown,
  command: Command,
  answer: ScriptedReply,
  cancelledAt?: number,
  signals: ScriptedSignals = {},
): Promise<{ outcome: DecisionOrRejection; recorded: readonly ScriptedCall[] }> => {
  const admission = admitted(subject, action, command);
  if (isLeft(admission)) return { outcome: admission, recorded: [] };
  const handler = subject.module.actions[action];
  if (handler === undefined || !('run' in handler)) assert.fail(`${action} is pure: it makes no calls`);
  const run = async (
    by: ScriptedReply,
    steps: ScriptedSteps,
  ): Promise<{ outcome: DecisionOrRejection; recorded: readonly ScriptedCall[] }> => {
    const { context, emitted, recorded, mistakes } = scriptedContext(
      subject.module.manifest,
      command.agent,
      state,
      by,
      steps,
      new ScriptedCancel(cancelledAt),
      signals,
    );
    const outcome = withEmitted(
      await handler.run(admission.right, context)(),
      emitted,
    ) as DecisionOrRejection;
    const [mistake] = mistakes;
    if (mistake !== undefined) throw mistake;
    return { outcome, recorded };
  };
  const steps = new ScriptedSteps();
  const first = await run(answer, steps);
  // The host runs a handler again after a crash, with the answers that the log has.
  const second = await run(replaying(first.recorded), new ScriptedSteps(steps));
  assert.deepStrictEqual(
    second,
    first,
    `${action} ends differently when it runs again with the same answers`,
  );
  assertRecordable(subject, action, first.outcome);
  return first;
};
