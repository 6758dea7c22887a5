import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { type ErrorCode, isErrorCode } from '../../schemas/error-table.js';
import type { Ok, Refusal, Result } from '../../schemas/result.js';
import { changesBetween } from '../state/changes.js';
import type { HandledAgain } from './handle-again.js';
import type { Decided, Stopped, ItemVerdict } from './runner-messages.js';

/** Of the table's codes those that follow from the command, the manifest and the code; the others from how it went. */
const OF_THE_CODE: ReadonlySet<string> = new Set<ErrorCode>([
  'PAYLOAD_NOT_JSON',
  'PAYLOAD_INVALID',
  'PAYLOAD_TOO_LARGE',
  'NAME_INVALID',
  'HEADER_INVALID',
  'ACTION_UNKNOWN',
  'AGENT_REQUIRED',
  'AGENT_UNEXPECTED',
  'CALLER_FORBIDDEN',
  'CALL_DEADLOCK',
  'DEPENDENCY_UNDECLARED',
  'HANDLER_THREW',
  'HANDLER_TIMEOUT',
  'HANDLER_CRASHED',
  'OUTCOME_INVALID',
  'OUTCOME_TOO_LARGE',
  // What a handler got of a step, a wait or a cancel, which is recorded, and let pass.
  'STEP_FAILED',
  'STEP_INVALID',
  'WAIT_INVALID',
  'SIGNAL_TIMEOUT',
  'PROMISE_TIMEOUT',
  'PROMISE_REJECTED',
  'CANCELLED',
]);

/** Whether the module's code had a part in a recorded result. */
const isDecided = (result: Result): boolean =>
  result.status === 'ok' ||
  (result.status !== 'expired' && (!isErrorCode(result.error.code) || OF_THE_CODE.has(result.error.code)));

const decidedOk = ({ data, out = [] }: Ok, events: readonly AnyEvent[]): Decided => ({
  status: 'ok',
  data,
  events,
  commands: out
    .filter(({ subject }) => subject.startsWith('cmd.'))
    .map(({ subject, data: sent }) => ({ subject, data: sent })),
});

/** Without what depends on how it went: how often it was tried, when to try again. */
const decidedNo = ({ status, error: { code, message, path, retryable } }: Refusal): Decided => ({
  status,
  error: { code, message, ...(path === undefined ? {} : { path }), retryable },
});

const decided = (result: Result, events: readonly AnyEvent[]): Decided =>
  result.status === 'ok' ? decidedOk(result, events) : decidedNo(result);

const nowDecided = ({ outcome, notMade }: HandledAgain): Decided => {
  const result = JSON.parse(Buffer.from(outcome.body).toString('utf8')) as Result;
  const found = decided(result, outcome.events);
  return notMade.length === 0 ? found : { ...found, callsNotMade: notMade };
};

/** Compares what is recorded of a command with what handling it again came to. `events`: in today's shapes. */
export const verdictOf = (
  result: Result,
  events: readonly AnyEvent[],
  again: HandledAgain | Stopped,
): ItemVerdict => {
  if (!isDecided(result)) return { kind: 'notDecided' };
  const recorded = decided(result, events);
  if ('why' in again) return { kind: 'stopped', recorded, stopped: again };
  const now = nowDecided(again);
  const changes = changesBetween(recorded, now);
  if (changes.length === 0) return { kind: 'same' };
  const [was, is] = [recorded.status === 'ok', now.status === 'ok'];
  const kind = was === is ? 'different' : is ? 'newlyAccepted' : 'newlyRejected';
  return { kind, recorded, now, changes };
};
