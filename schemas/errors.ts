/**
 * The one table of errors. A code is stable: programs match on it, so a code that is retired is never used again.
 * Whether to retry, what a command line exits with and what a NATS service answers are all derived from here.
 */

/** What a caller of a command is told when the cause is not the domain's own. */
export type FaultStatus = 'rejected' | 'failed' | 'expired';

interface Row {
  /** The status a result takes when this error answers a command. */
  readonly status: FaultStatus;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** Exit code of the command line: 1 the answer is no, 2 wrong usage, 3 broker or server out of reach. */
  readonly exit: 1 | 2 | 3;
  /** `Nats-Service-Error-Code`, with the meaning that HTTP gives the number. */
  readonly service: number;
  /** One sentence for the reference in `docs/protocol.md`. */
  readonly meaning: string;
}

const row = (
  status: FaultStatus,
  retryable: boolean,
  exit: 1 | 2 | 3,
  service: number,
  meaning: string,
): Row => ({ status, retryable, exit, service, meaning });

export const ERRORS = {
  // What a sender got wrong.
  PAYLOAD_NOT_JSON: row('rejected', false, 1, 400, 'The payload is not JSON.'),
  PAYLOAD_INVALID: row(
    'rejected',
    false,
    1,
    400,
    'The schema of the action refuses the payload; `path` names the place.',
  ),
  PAYLOAD_TOO_LARGE: row(
    'rejected',
    false,
    1,
    413,
    'The payload is above the limit of the module or of the log.',
  ),
  SUBJECT_INVALID: row('rejected', false, 2, 400, 'The subject is not MODULE.ACTION or MODULE.ACTION.AGENT.'),
  NAME_INVALID: row('rejected', false, 2, 400, 'A name is not 1 to 64 of A-Z a-z 0-9 _ -, or is reserved.'),
  HEADER_INVALID: row(
    'rejected',
    false,
    1,
    400,
    'A header cannot be read: a deadline that is no RFC 3339 time, a cause that is no open command.',
  ),
  HEADERS_TOO_LARGE: row(
    'rejected',
    false,
    1,
    431,
    'The headers of a record, with those that the broker adds, are above 65,535 bytes.',
  ),
  MODULE_UNKNOWN: row('rejected', false, 1, 404, 'No module of that name is known to the broker.'),
  ACTION_UNKNOWN: row('rejected', false, 1, 404, 'The module has no action of that name.'),
  AGENT_REQUIRED: row(
    'rejected',
    false,
    1,
    400,
    'The action is addressed to an agent and the subject names none.',
  ),
  AGENT_UNEXPECTED: row(
    'rejected',
    false,
    1,
    400,
    'The action is addressed to the module and the subject names an agent.',
  ),
  CALLER_FORBIDDEN: row('rejected', false, 1, 403, 'The action is for its own module only.'),
  SCHEDULE_INVALID: row(
    'rejected',
    false,
    2,
    400,
    'The time when the command is due cannot be read, is past, never comes, or is not before its deadline.',
  ),
  SCHEDULE_UNKNOWN: row(
    'rejected',
    false,
    1,
    404,
    'There is no schedule of that id: none was made, it was cancelled, or it fired for the last time.',
  ),
  DEADLINE_PAST: row('expired', false, 1, 504, 'The deadline had passed when the command was to be handled.'),
  CALL_DEADLOCK: row(
    'failed',
    false,
    1,
    409,
    'A handler called its own agent, which waits for that handler.',
  ),
  DEPENDENCY_UNDECLARED: row(
    'failed',
    false,
    1,
    403,
    'A handler called an action that its manifest does not declare.',
  ),

  // What a module got wrong.
  HANDLER_THREW: row('failed', false, 1, 500, 'The handler threw.'),
  HANDLER_TIMEOUT: row(
    'failed',
    false,
    1,
    504,
    'The handler did not finish within the deadline of its action.',
  ),
  HANDLER_CRASHED: row(
    'failed',
    false,
    1,
    500,
    'The process of the module ended or hung while it handled this command.',
  ),
  OUTCOME_INVALID: row(
    'failed',
    false,
    1,
    500,
    'The handler returned what the schemas of its own manifest refuse.',
  ),
  OUTCOME_TOO_LARGE: row('failed', false, 1, 500, 'The outcome does not fit in one record of the log.'),
  REPLAY_DIFFERS: row(
    'failed',
    false,
    1,
    409,
    'A handler that ran again asked for another call than the log has, or ended without one that it has.',
  ),
  DEAD_UNKNOWN: row('rejected', false, 1, 404, 'There is no dead letter of a command with that sequence.'),
  DEAD_REDRIVEN: row(
    'rejected',
    false,
    1,
    409,
    'The dead letter was redriven before; `--again` does it once more.',
  ),
  MANIFEST_INVALID: row(
    'failed',
    false,
    1,
    400,
    'The manifest of the module cannot be used; `path` names the place.',
  ),
  UPCAST_INVALID: row(
    'failed',
    false,
    1,
    400,
    "The module's `upcast` names a version or an event that its manifest does not have; `path` names the place.",
  ),
  SCHEMA_TOO_NEW: row(
    'failed',
    false,
    1,
    409,
    'A record of the module is of a newer schema version than its code: load the version that wrote it, or a later one.',
  ),
  FOLD_FAILED: row('failed', false, 1, 500, 'The code of the module cannot fold a record of its own past.'),
  MODULE_UNAVAILABLE: row(
    'failed',
    true,
    1,
    503,
    'The module is known but not running: unloaded, parked after crashes, or about to stop.',
  ),
  MODULE_START_FAILED: row('failed', true, 1, 500, 'The process of the module did not become ready.'),
  OPERATION_PENDING: row(
    'failed',
    false,
    1,
    504,
    'The broker has the request and goes on with it: it took longer than its sender waits.',
  ),
  MODULE_STATE: row('failed', false, 1, 409, 'The module is not in a state that allows this.'),
  DEPENDENCY_MISSING: row('failed', false, 1, 424, 'A module needs another one that is not there.'),
  DEPENDENCY_CYCLE: row('failed', false, 1, 424, 'Modules need each other in a circle.'),
  DEPENDENTS_LOADED: row('failed', false, 1, 409, 'Other loaded modules need this one.'),

  // What the log, the server or the machine refuse.
  OVERLOADED: row(
    'failed',
    true,
    1,
    429,
    'More is in flight than the broker holds; try again after a pause.',
  ),
  SCHEDULES_FULL: row('failed', true, 1, 507, 'There are as many schedules as the broker takes.'),
  LOG_FULL: row('failed', true, 1, 507, 'The log has reached its limit of bytes.'),
  LOG_UNAVAILABLE: row('failed', true, 3, 503, 'The record was not stored: the log does not answer.'),
  LOG_UNCERTAIN: row('failed', false, 3, 504, 'Whether the record was stored could not be learned in time.'),
  LOG_MISMATCH: row(
    'failed',
    false,
    1,
    500,
    'A setting of the stream LOG, or of its server, breaks the durability level or cannot be updated.',
  ),
  LOG_SHORTENED: row('failed', false, 1, 500, 'The log ends before what was seen of it: records are gone.'),
  LOG_DIFFERS: row('failed', false, 1, 500, 'The log has other records than those that were seen in it.'),
  LOG_REPLACED: row(
    'failed',
    false,
    1,
    500,
    'The log that was seen is gone, or another one is in its place.',
  ),
  OUTBOX_UNAVAILABLE: row(
    'failed',
    true,
    1,
    507,
    'An outbox cannot be read or written; its producer works without one.',
  ),
  LOG_NOT_EMPTY: row(
    'failed',
    false,
    1,
    409,
    'A log is imported into an empty broker only, and this one has records of its own.',
  ),
  IMPORT_INVALID: row(
    'rejected',
    false,
    1,
    400,
    'The file is no whole export: a line is not what an export has there, or records are missing.',
  ),
  IMPORT_UNFINISHED: row(
    'failed',
    false,
    1,
    409,
    'An import into this data directory was interrupted: import again, which begins anew.',
  ),
  IMPORT_DIFFERS: row(
    'failed',
    false,
    1,
    500,
    'What was imported is not what the file has; it is taken back.',
  ),
  EPOCH_LOST: row(
    'failed',
    true,
    1,
    409,
    'Another process has taken over as this producer; the server refused the record.',
  ),
  EPOCH_CLOSED: row(
    'failed',
    true,
    1,
    409,
    'The broker takes nothing more under this epoch: ask what of it is stored, and open another.',
  ),
  RESULT_PENDING: row(
    'failed',
    false,
    1,
    504,
    'The command is recorded and not answered yet; its result will be in the log.',
  ),
  SERVER_UNREACHABLE: row('failed', true, 3, 503, 'No NATS server answers at that address.'),
  SERVER_REFUSED: row('failed', false, 3, 401, 'The NATS server refused the credential or the operation.'),
  SERVER_NOT_FOUND: row('failed', false, 3, 503, 'No nats-server could be found, fetched or built.'),
  SERVER_TOO_OLD: row('failed', false, 3, 503, 'The nats-server is older than the oldest supported version.'),
  SERVER_START_FAILED: row('failed', true, 3, 503, 'The embedded nats-server did not start.'),
  PORT_IN_USE: row('failed', true, 3, 409, 'Another process listens on the port.'),
  DATA_DIR_IN_USE: row('failed', true, 3, 409, 'Another broker uses the data directory.'),
  AGENT_UNKNOWN: row(
    'rejected',
    false,
    1,
    404,
    'Nothing has happened to an agent of that name in that module.',
  ),
  SNAPSHOTS_UNAVAILABLE: row(
    'failed',
    true,
    1,
    503,
    'A module has no snapshots to read: it is not loaded yet, folds its states anew, or keeps none.',
  ),
  SNAPSHOTS_BEHIND: row(
    'failed',
    true,
    1,
    503,
    'The snapshots did not reach the sequence that was waited for in time.',
  ),
  SNAPSHOT_DAMAGED: row(
    'failed',
    false,
    1,
    500,
    'A snapshot does not fit its checksum; a rebuild folds all of them from the log again.',
  ),
  CONVERSATION_UNKNOWN: row(
    'rejected',
    false,
    1,
    404,
    'The log has no record of that sequence, or one that is of no conversation.',
  ),
  CONVERSATION_NOT_OPEN: row(
    'rejected',
    false,
    1,
    404,
    'No conversation of that sequence is open: all of its commands are answered, or there is none.',
  ),
  CONVERSATIONS_UNAVAILABLE: row(
    'failed',
    true,
    1,
    503,
    'There are no open conversations to read: no broker has run in that data directory, or its index is made anew.',
  ),
  CONVERSATIONS_BEHIND: row(
    'failed',
    true,
    1,
    503,
    'The open conversations did not reach the sequence that was waited for in time.',
  ),
  STATE_DIFFERS: row(
    'failed',
    false,
    1,
    500,
    'A snapshot is not what its module makes of the log; a rebuild folds all of them from the log again.',
  ),
  MODULE_CODE_UNAVAILABLE: row(
    'failed',
    false,
    1,
    424,
    "A module's code cannot be run here: it is in another language, on another machine, or does not load.",
  ),
  LEDGER_INVALID: row(
    'rejected',
    false,
    2,
    400,
    'A line of a ledger is not what docs/protocol.md#ledgers says; the message names it.',
  ),
  CERTIFICATE_INVALID: row(
    'rejected',
    false,
    1,
    422,
    'A certificate was changed after it was signed, or is none.',
  ),
  CERTIFICATE_UNTRUSTED: row(
    'rejected',
    false,
    1,
    403,
    'A certificate is signed by a key that is not trusted here.',
  ),
  DATA_DIR_UNUSABLE: row('failed', false, 3, 500, 'The data directory cannot be written or is damaged.'),
  BROKER_UNREACHABLE: row('failed', true, 3, 503, 'No broker answers for that data directory or server.'),
  EXPRESSION_INVALID: row(
    'rejected',
    false,
    2,
    400,
    'An expression cannot be read, or is neither true nor false where it must be; the message names the column.',
  ),
  OUTPUT_FAILED: row(
    'failed',
    false,
    1,
    500,
    'Standard output or a file cannot be written: a full disk, no right, a device that takes nothing.',
  ),
  USAGE: row('rejected', false, 2, 400, 'The command line cannot be understood.'),
  ANSWER_TOO_LARGE: row(
    'failed',
    false,
    1,
    413,
    'The answer is larger than one message of the server; ask for a part of it, or read the record from the log.',
  ),
  INTERNAL: row(
    'failed',
    false,
    1,
    500,
    'A fault of the broker itself; the log of the broker has the details.',
  ),
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof ERRORS;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** An expected failure as a value: what travels in `Either` and, as JSON, in results and on stderr. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** JSON pointer into the input, where the input is at fault. */
  readonly path?: string;
  readonly retryable: boolean;
  /** After how long trying again may help, milliseconds; where that can be said. */
  readonly retryAfterMs?: number;
}

/** Makes a fault of the table; `retryable` follows from the code. */
export const fault = (code: ErrorCode, message: string, path?: string): Fault => ({
  code,
  message,
  ...(path === undefined ? {} : { path }),
  retryable: ERRORS[code].retryable,
});

/**
 * What a module got wrong, also at its last try: a command that is answered so becomes a dead letter. What its sender got
 * wrong does not, and neither does a no of the domain.
 */
const DEADLY: ReadonlySet<string> = new Set<ErrorCode>([
  'HANDLER_THREW',
  'HANDLER_TIMEOUT',
  'HANDLER_CRASHED',
  'OUTCOME_INVALID',
  'OUTCOME_TOO_LARGE',
  'REPLAY_DIFFERS',
]);

export const isDeadly = (code: string): boolean => DEADLY.has(code);

/** Carries a fault where only throwing is possible (constructors, library callbacks, broken invariants). */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  constructor(readonly fault: Fault) {
    super(`${fault.code}: ${fault.message}`);
  }
}

/** The fault inside what was thrown; anything unknown is `INTERNAL` with its message. */
export const toFault = (thrown: unknown, code: ErrorCode = 'INTERNAL'): Fault =>
  thrown instanceof FaultError
    ? thrown.fault
    : fault(code, thrown instanceof Error ? thrown.message : String(thrown));
