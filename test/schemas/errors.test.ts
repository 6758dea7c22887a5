import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, type ErrorCode, isErrorCode } from '../../schemas/error-table.js';
import { FaultError, fault, toFault } from '../../schemas/errors.js';
import { CODE_PATTERN, refusal, serviceCode } from '../../schemas/result.js';

/**
 * Programs match on codes. A code may be added here; one that is taken out, renamed or given another meaning breaks
 * them, so a retired code stays in the table.
 */
const STABLE: Readonly<
  Record<ErrorCode, readonly [status: string, retryable: boolean, exit: number, service: number]>
> = {
  PAYLOAD_NOT_JSON: ['rejected', false, 1, 400],
  PAYLOAD_INVALID: ['rejected', false, 1, 400],
  PAYLOAD_TOO_LARGE: ['rejected', false, 1, 413],
  SUBJECT_INVALID: ['rejected', false, 2, 400],
  NAME_INVALID: ['rejected', false, 2, 400],
  HEADER_INVALID: ['rejected', false, 1, 400],
  KEY_REUSED: ['rejected', false, 1, 409],
  SCHEDULE_ENDED: ['rejected', false, 1, 409],
  KEYS_FULL: ['failed', true, 1, 429],
  HEADERS_TOO_LARGE: ['rejected', false, 1, 431],
  MODULE_UNKNOWN: ['rejected', false, 1, 404],
  ACTION_UNKNOWN: ['rejected', false, 1, 404],
  AGENT_REQUIRED: ['rejected', false, 1, 400],
  AGENT_UNEXPECTED: ['rejected', false, 1, 400],
  CALLER_FORBIDDEN: ['rejected', false, 1, 403],
  NOT_ALLOWED: ['rejected', false, 1, 403],
  GRANT_INVALID: ['rejected', false, 2, 400],
  LIMIT_INVALID: ['rejected', false, 2, 400],
  PRINCIPAL_UNKNOWN: ['rejected', false, 1, 404],
  PRINCIPALS_FULL: ['failed', false, 1, 429],
  PRINCIPAL_EXISTS: ['rejected', false, 1, 409],
  SCHEDULE_INVALID: ['rejected', false, 2, 400],
  COMMAND_UNKNOWN: ['rejected', false, 1, 404],
  SCHEDULE_UNKNOWN: ['rejected', false, 1, 404],
  DEADLINE_PAST: ['expired', false, 1, 504],
  CANCELLED: ['rejected', false, 1, 409],
  RESULT_STORED: ['rejected', false, 1, 409],
  RESTART_REFUSED: ['rejected', false, 1, 409],
  RESTARTED: ['rejected', false, 1, 409],
  STEP_UNKNOWN: ['rejected', false, 1, 404],
  CALL_DEADLOCK: ['failed', false, 1, 409],
  DEPENDENCY_UNDECLARED: ['failed', false, 1, 403],
  HANDLER_THREW: ['failed', false, 1, 500],
  HANDLER_TIMEOUT: ['failed', false, 1, 504],
  HANDLER_CRASHED: ['failed', false, 1, 500],
  OUTCOME_INVALID: ['failed', false, 1, 500],
  OUTCOME_TOO_LARGE: ['failed', false, 1, 500],
  CHAIN_TOO_LONG: ['failed', false, 1, 409],
  REPLAY_DIFFERS: ['failed', false, 1, 409],
  STEP_FAILED: ['failed', false, 1, 500],
  STEP_INVALID: ['failed', false, 1, 500],
  WAIT_INVALID: ['failed', false, 1, 500],
  SIGNAL_TIMEOUT: ['failed', false, 1, 504],
  PROMISE_TIMEOUT: ['failed', false, 1, 504],
  PROMISE_REJECTED: ['failed', false, 1, 500],
  PROMISE_UNKNOWN: ['rejected', false, 1, 404],
  SIGNAL_INVALID: ['rejected', false, 1, 400],
  SIGNALS_FULL: ['rejected', true, 1, 429],
  SUBSCRIPTION_UNKNOWN: ['rejected', false, 1, 404],
  SUBSCRIPTION_TAKEN: ['rejected', false, 1, 409],
  SUBSCRIPTION_DIFFERS: ['rejected', false, 1, 409],
  SUBSCRIPTION_LOST: ['failed', false, 1, 410],
  SUBSCRIPTIONS_FULL: ['rejected', false, 1, 429],
  DEAD_UNKNOWN: ['rejected', false, 1, 404],
  DEAD_REDRIVEN: ['rejected', false, 1, 409],
  MANIFEST_INVALID: ['failed', false, 1, 400],
  UPCAST_INVALID: ['failed', false, 1, 400],
  SCHEMA_TOO_NEW: ['failed', false, 1, 409],
  FOLD_FAILED: ['failed', false, 1, 500],
  MODULE_UNAVAILABLE: ['failed', true, 1, 503],
  MODULE_BUILD_FAILED: ['rejected', false, 1, 400],
  MODULE_START_FAILED: ['failed', true, 1, 500],
  OPERATION_PENDING: ['failed', false, 1, 504],
  MODULE_NAME_TAKEN: ['rejected', false, 2, 409],
  MODULE_STATE: ['failed', false, 1, 409],
  DEPENDENCY_MISSING: ['failed', false, 1, 424],
  DEPENDENCY_CYCLE: ['failed', false, 1, 424],
  DEPENDENTS_LOADED: ['failed', false, 1, 409],
  CALLER_GONE: ['failed', true, 1, 503],
  OVERLOADED: ['failed', true, 1, 429],
  SCHEDULES_FULL: ['failed', true, 1, 507],
  LOG_FULL: ['failed', true, 1, 507],
  LOG_UNAVAILABLE: ['failed', true, 3, 503],
  LOG_UNCERTAIN: ['failed', false, 3, 504],
  LOG_MISMATCH: ['failed', false, 1, 500],
  LOG_SHORTENED: ['failed', false, 1, 500],
  LOG_DIFFERS: ['failed', false, 1, 500],
  LOG_REPLACED: ['failed', false, 1, 500],
  OUTBOX_UNAVAILABLE: ['failed', true, 1, 507],
  LOG_NOT_EMPTY: ['failed', false, 1, 409],
  IMPORT_INVALID: ['rejected', false, 1, 400],
  IMPORT_UNFINISHED: ['failed', false, 1, 409],
  IMPORT_DIFFERS: ['failed', false, 1, 500],
  EPOCH_LOST: ['failed', true, 1, 409],
  EPOCH_CLOSED: ['failed', true, 1, 409],
  RESULT_PENDING: ['failed', false, 1, 504],
  HTTP_INVALID: ['rejected', false, 2, 400],
  HTTP_UNKNOWN: ['rejected', false, 2, 404],
  HTTP_FORBIDDEN: ['rejected', false, 2, 403],
  SERVER_UNREACHABLE: ['failed', true, 3, 503],
  SERVER_REFUSED: ['failed', false, 3, 401],
  SERVER_NOT_FOUND: ['failed', false, 3, 503],
  SERVER_TOO_OLD: ['failed', false, 3, 503],
  SERVER_CHANGED: ['failed', false, 3, 503],
  SERVER_START_FAILED: ['failed', true, 3, 503],
  CAGE_INCOMPLETE: ['failed', false, 1, 503],
  CAGE_NOT_GRANTED: ['rejected', false, 1, 403],
  LISTEN_NOT_GRANTED: ['rejected', false, 1, 403],
  CALLS_NOT_GRANTED: ['rejected', false, 1, 403],
  CONFIG_MISSING: ['rejected', false, 1, 409],
  CONFIG_INVALID: ['rejected', false, 1, 400],
  CONFIG_KEY_UNKNOWN: ['rejected', false, 1, 404],
  LISTEN_UNSAFE: ['rejected', false, 2, 400],
  TLS_FAILED: ['failed', false, 3, 503],
  CONTEXT_UNKNOWN: ['rejected', false, 2, 404],
  PORT_IN_USE: ['failed', true, 3, 409],
  DATA_DIR_IN_USE: ['failed', true, 3, 409],
  AGENT_ERASED: ['rejected', false, 1, 410],
  NOT_ENCRYPTED: ['rejected', false, 1, 409],
  SEALED: ['failed', false, 1, 403],
  AGENT_UNKNOWN: ['rejected', false, 1, 404],
  FIELD_NOT_INDEXED: ['rejected', false, 1, 400],
  SNAPSHOTS_UNAVAILABLE: ['failed', true, 1, 503],
  SNAPSHOTS_BEHIND: ['failed', true, 1, 503],
  SNAPSHOT_DAMAGED: ['failed', false, 1, 500],
  CONVERSATION_UNKNOWN: ['rejected', false, 1, 404],
  CONVERSATION_NOT_OPEN: ['rejected', false, 1, 404],
  CONVERSATIONS_UNAVAILABLE: ['failed', true, 1, 503],
  CONVERSATIONS_BEHIND: ['failed', true, 1, 503],
  STATE_DIFFERS: ['failed', false, 1, 500],
  MODULE_CODE_UNAVAILABLE: ['failed', false, 1, 424],
  LEDGER_INVALID: ['rejected', false, 2, 400],
  CERTIFICATE_INVALID: ['rejected', false, 1, 422],
  CERTIFICATE_UNTRUSTED: ['rejected', false, 1, 403],
  DATA_DIR_UNUSABLE: ['failed', false, 3, 500],
  BROKER_UNREACHABLE: ['failed', true, 3, 503],
  EXPRESSION_INVALID: ['rejected', false, 2, 400],
  OUTPUT_FAILED: ['failed', false, 1, 500],
  USAGE: ['rejected', false, 2, 400],
  ANSWER_TOO_LARGE: ['failed', false, 1, 413],
  INTERNAL: ['failed', false, 1, 500],
};

test('each code is stable: its status, whether to retry, its exit code and its service code', () => {
  const table = Object.fromEntries(
    Object.entries(ERRORS).map(([code, row]) => [code, [row.status, row.retryable, row.exit, row.service]]),
  );
  assert.deepEqual(table, STABLE);
});

for (const [code, row] of Object.entries(ERRORS) as [ErrorCode, (typeof ERRORS)[ErrorCode]][]) {
  test(`${code} can be carried by a result and has one sentence for the reference`, () => {
    assert.match(code, new RegExp(CODE_PATTERN));
    assert.match(row.meaning, /^[A-Z].*\.$/);
    assert(row.service >= 400 && row.service < 600);
    const answer = refusal(fault(code, 'why'));
    assert.deepEqual(answer, {
      status: row.status,
      error: { code, message: 'why', retryable: row.retryable },
    });
    assert.equal(serviceCode(answer), row.service);
  });
}

test('a rejection of the domain is 422 to a NATS service client, any other unknown code 500', () => {
  const error = { code: 'INSUFFICIENT_FUNDS', message: 'no', retryable: false };
  assert.equal(serviceCode({ status: 'rejected', error }), 422);
  assert.equal(serviceCode({ status: 'failed', error }), 500);
});

test('a code is one of the table only if the table itself has it', () => {
  assert.equal(isErrorCode('OVERLOADED'), true);
  for (const code of ['', 'overloaded', 'constructor', '__proto__', 'INSUFFICIENT_FUNDS']) {
    assert.equal(isErrorCode(code), false, code);
  }
});

test('what was thrown becomes a fault, and a fault that was thrown stays itself', () => {
  const full = fault('LOG_FULL', 'full', '/a');
  assert.equal(toFault(new FaultError(full)), full);
  assert.equal(new FaultError(full).message, 'LOG_FULL: full');
  assert.deepEqual(toFault(new TypeError('x is not a function')), fault('INTERNAL', 'x is not a function'));
  assert.deepEqual(toFault('text', 'HANDLER_THREW'), fault('HANDLER_THREW', '"text", which is no Error'));
});

test('each copy of the package knows the errors of the other', async () => {
  const path = new URL('../../schemas/errors.js?copy', import.meta.url).href;
  const copy = (await import(path)) as { FaultError: typeof FaultError; toFault: typeof toFault };
  assert.notEqual(copy.FaultError, FaultError);
  const theirs = new copy.FaultError(fault('LOG_FULL', 'no room'));
  assert.ok(theirs instanceof FaultError);
  assert.equal(toFault(theirs).code, 'LOG_FULL');
  assert.equal(copy.toFault(new FaultError(fault('OVERLOADED', 'wait'))).code, 'OVERLOADED');
  for (const other of [new Error('LOG_FULL: no room'), { name: 'FaultError' }, null, undefined, 'FaultError'])
    assert.equal(other instanceof FaultError, false);
});
