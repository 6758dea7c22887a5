import { sameJson, type Json } from '../expression/json-value.js';
import { type Path, valueAt } from '../expression/path.js';
import { type AgentStep, agentSteps, type StepsQuery } from './state-steps.js';

export interface WatchQuery extends StepsQuery {
  /** Which part of the state. */
  readonly path: Path;
  /** Only the first time that it became this. */
  readonly equals?: { readonly value: Json } | undefined;
  /** Called when a state has this part; never called: the path is in none of them. */
  readonly onSeen?: () => void;
}

/** A record by which a part of the state became another. */
export interface PathChange extends Pick<AgentStep, 'seq' | 'time' | 'event' | 'events'> {
  /** Absent where nothing was there. */
  readonly from?: Json;
  /** Absent where nothing is there any more. */
  readonly to?: Json;
}

/** Every change of one part of an agent's state, in order. Throws {@link FaultError}, as `agentSteps` does. */
export async function* pathChanges(query: WatchQuery): AsyncGenerator<PathChange, void, void> {
  const { path, equals, onSeen } = query;
  for await (const { seq, time, event, events, before, state } of agentSteps(query)) {
    const [from, to] = [valueAt(before, path), valueAt(state, path)];
    if (from !== undefined || to !== undefined) onSeen?.();
    if (sameJson(from, to)) continue;
    if (equals !== undefined && !sameJson(to, equals.value)) continue;
    const values = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    yield { seq, time, event, events, ...values };
    if (equals !== undefined) return;
  }
}
