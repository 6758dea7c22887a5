import type { OutcomeDifference } from '../../replay/diff/report.js';
import type { CallMade, Decided } from '../../replay/diff/runner-messages.js';
import { type Path, parsePath } from '../../replay/expression/path.js';
import type { Difference } from '../../replay/rebuild/comparison.js';
import type { Hit } from '../../replay/sandbox/break-point.js';
import type { Compared } from '../../replay/sandbox/compare-answers.js';
import { maskedEvents } from '../../replay/state/masked-step.js';
import type { PathChange } from '../../replay/state/watch-state.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import type { Masks } from '../../schemas/masks.js';
import { Payload } from '../../schemas/payload.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { StoredSnapshot } from '../../store/snapshots/index.js';

const pathOf = (text: string): Path => {
  if (text === '') return [];
  const parsed = parsePath(text);
  return parsed._tag === 'Left' ? [] : parsed.right;
};

/** A change of one part of a state. */
export const maskedPathChange = (
  masks: Masks,
  module: string,
  path: Path,
  change: PathChange,
): PathChange => {
  const [event = change.event] = maskedEvents(masks, module, [change.event]);
  return {
    ...masks.stateChange(module, path, change),
    event,
    events: maskedEvents(masks, module, change.events),
  };
};

/** Two results of one command. */
export const maskedCompared = (masks: Masks, compared: Compared): Compared => {
  const subject = splitSubject(compared.subject);
  if (subject?.kind !== 'cmd') return compared;
  const masked = (payload: Payload | null): Payload | null =>
    payload === null ? null : new Payload(masks.result(subject.module, subject.name, payload.bytes));
  return { ...compared, recorded: masked(compared.recorded), now: masked(compared.now) };
};

export const maskedHit = (masks: Masks, hit: Hit): Hit => {
  const event = hit.event as Partial<AnyEvent> | null;
  const isNamed = typeof event?.name === 'string';
  return {
    ...hit,
    before: masks.state(hit.module, hit.before),
    state: masks.state(hit.module, hit.state),
    event: isNamed ? maskedEvents(masks, hit.module, [event as AnyEvent])[0] : hit.event,
  };
};

const maskedCall = (masks: Masks, call: CallMade): CallMade => ({
  ...call,
  data: masks.inputValue(call.module, call.name, call.data),
});

const maskedCopy = (
  masks: Masks,
  { subject, data }: { readonly subject: string; readonly data: unknown },
): { readonly subject: string; readonly data: unknown } => {
  const [, target = '', action = ''] = subject.split('.');
  return { subject, data: masks.inputValue(target, action, data) };
};

const maskedDecided = (masks: Masks, module: string, action: string, decided: Decided): Decided => {
  const { callsNotMade } = decided;
  const calls =
    callsNotMade === undefined ? {} : { callsNotMade: callsNotMade.map((call) => maskedCall(masks, call)) };
  if (decided.status !== 'ok') return { ...decided, ...calls };
  return {
    ...decided,
    data: masks.outputValue(module, action, decided.data),
    events: maskedEvents(masks, module, decided.events),
    commands: decided.commands.map((copy) => maskedCopy(masks, copy)),
    ...calls,
  };
};

/** An outcome of other code. */
export const maskedDifference = (
  masks: Masks,
  module: string,
  difference: OutcomeDifference,
): OutcomeDifference => {
  const { action } = difference;
  const decided = (value: Decided): Decided => maskedDecided(masks, module, action, value);
  if (difference.kind === 'stopped') {
    const { stopped, recorded } = difference;
    if (stopped.why === 'outside') return { ...difference, recorded: decided(recorded) };
    const was = stopped.recorded === null ? null : maskedCall(masks, stopped.recorded);
    return {
      ...difference,
      recorded: decided(recorded),
      stopped: { ...stopped, made: maskedCall(masks, stopped.made), recorded: was },
    };
  }
  return {
    ...difference,
    recorded: decided(difference.recorded),
    now: decided(difference.now),
    changes: difference.changes.map((change) =>
      masks.resultChange(module, action, pathOf(change.path), change),
    ),
  };
};

/** Two states of one agent. */
export const maskedStates = (masks: Masks, difference: Difference): Difference => {
  const masked = (stored: StoredSnapshot | null): StoredSnapshot | null =>
    stored === null ? null : { ...stored, json: masks.stateJson(difference.module, stored.json) };
  return { ...difference, log: masked(difference.log), snapshot: masked(difference.snapshot) };
};
