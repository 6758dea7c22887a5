import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import type { Masks } from '../../schemas/masks.js';
import { type Path, parsePath } from '../expression/path.js';
import { type Change, changesBetween } from './changes.js';
import type { AgentStep } from './state-steps.js';

const pathOf = (text: string): Path => {
  if (text === '') return [];
  const parsed = parsePath(text);
  return parsed._tag === 'Left' ? [] : parsed.right;
};

export const maskedEvents = (
  masks: Masks,
  module: string,
  events: readonly AnyEvent[],
): readonly AnyEvent[] =>
  events.map((event) => ({ ...event, data: masks.event(module, event.name, event.data) }));

/** A step of a state with its hidden values masked. */
export const hiddenStep = (masks: Masks, module: string, step: AgentStep): AgentStep => {
  const { seq, time, event, events, before, state } = step;
  const [last = event] = maskedEvents(masks, module, [event]);
  return {
    ...{ seq, time, event: last },
    events: maskedEvents(masks, module, events),
    before: masks.state(module, before),
    state: masks.state(module, state),
  };
};

/** A step of a state, and what it changed: the changes are those of the true states, with hidden values. */
export const maskedStep = (
  masks: Masks,
  module: string,
  step: AgentStep,
): AgentStep & { readonly changes: readonly Change[] } => {
  const changes = changesBetween(step.before, step.state).map((change) =>
    masks.stateChange(module, pathOf(change.path), change),
  );
  return { ...hiddenStep(masks, module, step), changes };
};
