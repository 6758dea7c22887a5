/**
 * The one table of errors. Programs match on codes, so a code is stable, and a retired code is never used again.
 * Whether to retry, the exit code, and the code of a NATS service all follow from this table.
 */

/** The status of a result whose cause is not the domain's. */
export type FaultStatus = 'rejected' | 'failed' | 'expired';

export interface ErrorRow {
  /** The status of a result with this error. */
  readonly status: FaultStatus;
  /** Whether the same request, unchanged, may succeed later. */
  readonly retryable: boolean;
  /** Exit code of the command line: 1 the answer is no, 2 wrong usage, 3 no connection to broker or server. */
  readonly exit: 1 | 2 | 3;
  /** `Nats-Service-Error-Code`, with the meaning of the number in HTTP. */
  readonly service: number;
  /** One sentence for the reference in `docs/reference/errors.md`. */
  readonly meaning: string;
}

const row = (
  status: FaultStatus,
  retryable: boolean,
  exit: 1 | 2 | 3,
  service: number,
  meaning: string,
): ErrorRow => ({ status, retryable, exit, service, meaning });

/** All error codes, with status, retry, exit code, service code and meaning. */
export const ERRORS = {
  // Faults of a sender.
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
    'A header cannot be read: the deadline is not an RFC 3339 time, or the cause is not an open command.',
  ),
  KEY_REUSED: row(
    'rejected',
    false,
    1,
    409,
    'The sender has used this key for a command with another action, agent or payload.',
  ),
  KEYS_FULL: row('failed', true, 1, 429, 'The sender has used as many keys as it may within 24 hours.'),
  HEADERS_TOO_LARGE: row(
    'rejected',
    false,
    1,
    431,
    'The headers of a record, with those that the broker adds, are above 65,535 bytes.',
  ),
  MODULE_UNKNOWN: row('rejected', false, 1, 404, 'The broker knows no module of that name.'),
  ACTION_UNKNOWN: row('rejected', false, 1, 404, 'The module has no action of that name.'),
  AGENT_REQUIRED: row('rejected', false, 1, 400, 'The action takes an agent, and the subject names none.'),
  AGENT_UNEXPECTED: row('rejected', false, 1, 400, 'The action takes no agent, and the subject names one.'),
  CALLER_FORBIDDEN: row('rejected', false, 1, 403, 'Only the module itself may send this action.'),
  NOT_ALLOWED: row(
    'rejected',
    false,
    1,
    403,
    'No grant of the sender covers the request, or its token is over.',
  ),
  GRANT_INVALID: row('rejected', false, 2, 400, 'A grant cannot be read.'),
  LIMIT_INVALID: row('rejected', false, 2, 400, 'A limit of a principal cannot be read.'),
  PRINCIPAL_UNKNOWN: row('rejected', false, 1, 404, 'No principal has that name.'),
  PRINCIPALS_FULL: row('failed', false, 1, 429, 'The broker has as many principals as it may have.'),
  PRINCIPAL_EXISTS: row('rejected', false, 1, 409, 'A principal of that name has a token already.'),
  SCHEDULE_INVALID: row(
    'rejected',
    false,
    2,
    400,
    'The time of the schedule cannot be read, is past, never comes, or is not before the deadline.',
  ),
  COMMAND_UNKNOWN: row('rejected', false, 1, 404, 'The log has no command of that sequence.'),
  SCHEDULE_UNKNOWN: row(
    'rejected',
    false,
    1,
    404,
    'No schedule has that id: none was made, it was cancelled, or it has fired for the last time.',
  ),
  DEADLINE_PAST: row('expired', false, 1, 504, 'The deadline passed before the module handled the command.'),
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

  // Faults of a module.
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
    "The schemas of the module's manifest refuse what the handler returned.",
  ),
  OUTCOME_TOO_LARGE: row('failed', false, 1, 500, 'The outcome does not fit in one record of the log.'),
  CHAIN_TOO_LONG: row(
    'failed',
    false,
    1,
    409,
    'Modules that listen to each other have caused an event in a circle. The module does not handle it.',
  ),
  REPLAY_DIFFERS: row(
    'failed',
    false,
    1,
    409,
    'A handler that ran again made another call or step than the log has, or left one out.',
  ),
  STEP_FAILED: row(
    'failed',
    false,
    1,
    500,
    'A step of a handler threw, or was late, at each of its attempts.',
  ),
  STEP_INVALID: row(
    'failed',
    false,
    1,
    500,
    'A handler gave a step a bad name or bad options, or its value has no form in JSON or in a record.',
  ),
  WAIT_INVALID: row('failed', false, 1, 500, 'A handler asked to sleep for no time that can be waited for.'),
  DEAD_UNKNOWN: row('rejected', false, 1, 404, 'No dead letter has a command of that sequence.'),
  DEAD_REDRIVEN: row(
    'rejected',
    false,
    1,
    409,
    'The dead letter has been redriven before; `--again` redrives it once more.',
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
    'A record of the module has a newer schema version than the code: load the version that wrote it, or a later one.',
  ),
  FOLD_FAILED: row(
    'failed',
    false,
    1,
    500,
    "The code of the module cannot fold a record of the module's past.",
  ),
  MODULE_UNAVAILABLE: row(
    'failed',
    true,
    1,
    503,
    'The module is known but not running: unloaded, parked after crashes, or about to stop.',
  ),
  MODULE_BUILD_FAILED: row(
    'rejected',
    false,
    1,
    400,
    "A module's source cannot be compiled, does not load, or exports no valid module.",
  ),
  MODULE_START_FAILED: row('failed', true, 1, 500, 'The process of the module did not become ready.'),
  OPERATION_PENDING: row(
    'failed',
    false,
    1,
    504,
    'The request takes longer than its sender waits; the broker continues with it.',
  ),
  MODULE_NAME_TAKEN: row('rejected', false, 2, 409, 'Two modules have the same name.'),
  MODULE_STATE: row('failed', false, 1, 409, 'The module is not in a state that allows this.'),
  DEPENDENCY_MISSING: row('failed', false, 1, 424, 'A module needs another module that is not loaded.'),
  DEPENDENCY_CYCLE: row('failed', false, 1, 424, 'Modules need each other in a circle.'),
  DEPENDENTS_LOADED: row('failed', false, 1, 409, 'Other loaded modules need this one.'),

  // Refusals of the log, the server or the machine.
  CALLER_GONE: row(
    'failed',
    true,
    1,
    503,
    'The connection of the call closed before the broker stored the command. Nothing was done.',
  ),
  OVERLOADED: row(
    'failed',
    true,
    1,
    429,
    'More requests are in flight than the broker holds; try again after a pause.',
  ),
  SCHEDULE_ENDED: row(
    'rejected',
    false,
    1,
    409,
    'The schedule with this key has fired and is over; its commands are in the log.',
  ),
  SCHEDULES_FULL: row('failed', true, 1, 507, 'The broker has as many schedules as it can hold.'),
  LOG_FULL: row('failed', true, 1, 507, 'The log has reached its size limit.'),
  LOG_UNAVAILABLE: row('failed', true, 3, 503, 'The record was not stored: the log does not answer.'),
  LOG_UNCERTAIN: row(
    'failed',
    false,
    3,
    504,
    'The broker could not find out in time whether the record is stored.',
  ),
  LOG_MISMATCH: row(
    'failed',
    false,
    1,
    500,
    'A setting of the stream LOG, or of its server, breaks the durability level or cannot be updated.',
  ),
  LOG_SHORTENED: row(
    'failed',
    false,
    1,
    500,
    'The log ends before a record that the broker had seen in it: records are lost.',
  ),
  LOG_DIFFERS: row('failed', false, 1, 500, 'The log has other records than the broker had seen in it.'),
  LOG_REPLACED: row(
    'failed',
    false,
    1,
    500,
    'The log that the broker had seen is gone, or another one is in its place.',
  ),
  OUTBOX_UNAVAILABLE: row(
    'failed',
    true,
    1,
    507,
    'An outbox cannot be read or written; its producer works without it.',
  ),
  LOG_NOT_EMPTY: row(
    'failed',
    false,
    1,
    409,
    'An import needs an empty broker, and this broker has records.',
  ),
  IMPORT_INVALID: row(
    'rejected',
    false,
    1,
    400,
    'The file is not a complete export: a line is wrong, or records are missing.',
  ),
  IMPORT_UNFINISHED: row(
    'failed',
    false,
    1,
    409,
    'An import into this data directory was interrupted: import again, which starts over.',
  ),
  IMPORT_DIFFERS: row(
    'failed',
    false,
    1,
    500,
    'The imported log differs from the file; the import is undone.',
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
    'The broker takes no more records under this epoch: ask which records are stored, and open a new epoch.',
  ),
  RESULT_PENDING: row(
    'failed',
    false,
    1,
    504,
    'The command is stored and has no result yet; its result will be in the log.',
  ),
  // Faults of a request over HTTP that the broker never saw.
  HTTP_INVALID: row(
    'rejected',
    false,
    2,
    400,
    'The HTTP request is not one of the API: a header, a query parameter or the content type is wrong.',
  ),
  HTTP_UNKNOWN: row('rejected', false, 2, 404, 'The HTTP API has no such route.'),
  HTTP_FORBIDDEN: row(
    'rejected',
    false,
    2,
    403,
    'The HTTP request may come from the page of another site: its `Host` or `Origin` is not that of the broker.',
  ),
  SERVER_UNREACHABLE: row('failed', true, 3, 503, 'No NATS server answers at that address.'),
  SERVER_REFUSED: row('failed', false, 3, 401, 'The NATS server refused the credential or the operation.'),
  SERVER_NOT_FOUND: row('failed', false, 3, 503, 'No nats-server could be found, fetched or built.'),
  SERVER_CHANGED: row('failed', false, 3, 503, 'The cached nats-server is not the one that was installed.'),
  SERVER_TOO_OLD: row('failed', false, 3, 503, 'The nats-server is older than the oldest supported version.'),
  SERVER_START_FAILED: row('failed', true, 3, 503, 'The embedded nats-server did not start.'),
  CAGE_INCOMPLETE: row(
    'failed',
    false,
    1,
    503,
    'The broker was started with `--cage required`, and this machine lacks a layer of the cage.',
  ),
  CAGE_NOT_GRANTED: row(
    'rejected',
    false,
    1,
    403,
    'The manifest of a module asks for more than an operator has granted to its cage.',
  ),
  LISTEN_NOT_GRANTED: row(
    'rejected',
    false,
    1,
    403,
    'The manifest of a module names events that no operator has let it listen to.',
  ),
  CALLS_NOT_GRANTED: row(
    'rejected',
    false,
    1,
    403,
    'A new version of a module calls actions of other modules that the version before did not call.',
  ),
  CONFIG_MISSING: row(
    'rejected',
    false,
    1,
    409,
    'A module does not start, because a required key of its configuration has no value.',
  ),
  CONFIG_INVALID: row(
    'rejected',
    false,
    1,
    400,
    'A value of a configuration does not fit its schema, or a stored secret cannot be opened.',
  ),
  CONFIG_KEY_UNKNOWN: row('rejected', false, 1, 404, 'The module declares no such key of its configuration.'),
  LISTEN_UNSAFE: row(
    'rejected',
    false,
    2,
    400,
    'An address beyond loopback needs TLS, and no guests: `--listen`, `--tls-cert`, `--tls-key`.',
  ),
  TLS_FAILED: row(
    'failed',
    false,
    3,
    503,
    'A file of TLS cannot be used, or client and broker do not agree on TLS: a certificate has expired or is not trusted.',
  ),
  CONTEXT_UNKNOWN: row('rejected', false, 2, 404, 'No stored context has that name.'),
  PORT_IN_USE: row('failed', true, 3, 409, 'Another process listens on the port.'),
  DATA_DIR_IN_USE: row('failed', true, 3, 409, 'Another broker uses the data directory.'),
  AGENT_ERASED: row(
    'rejected',
    false,
    1,
    410,
    'The agent was erased. The key of its values is destroyed, and it takes no more commands.',
  ),
  NOT_ENCRYPTED: row(
    'rejected',
    false,
    1,
    409,
    'The module encrypts nothing, so there is no key to destroy.',
  ),
  SEALED: row(
    'failed',
    false,
    1,
    403,
    'A value is encrypted, and the keys here are missing or others: it was encrypted by another broker.',
  ),
  AGENT_UNKNOWN: row('rejected', false, 1, 404, 'The module has no agent of that name: no event names it.'),
  FIELD_NOT_INDEXED: row(
    'rejected',
    false,
    1,
    400,
    'A look-up names a field of the states that the manifest of the module does not declare in `index`.',
  ),
  SNAPSHOTS_UNAVAILABLE: row(
    'failed',
    true,
    1,
    503,
    'A module has no snapshots to read: it is not loaded yet, folds its states again, or keeps none.',
  ),
  SNAPSHOTS_BEHIND: row('failed', true, 1, 503, 'The snapshots did not reach the wanted sequence in time.'),
  SNAPSHOT_DAMAGED: row(
    'failed',
    false,
    1,
    500,
    'A snapshot does not match its checksum; a rebuild folds all snapshots from the log again.',
  ),
  CONVERSATION_UNKNOWN: row(
    'rejected',
    false,
    1,
    404,
    'The log has no record of that sequence, or its record has no conversation.',
  ),
  CONVERSATION_NOT_OPEN: row(
    'rejected',
    false,
    1,
    404,
    'No conversation of that sequence is open: all its commands have results, or there is none.',
  ),
  CONVERSATIONS_UNAVAILABLE: row(
    'failed',
    true,
    1,
    503,
    'There are no open conversations to read: no broker has run in that data directory, or the broker makes its index again.',
  ),
  CONVERSATIONS_BEHIND: row(
    'failed',
    true,
    1,
    503,
    'The open conversations did not reach the wanted sequence in time.',
  ),
  STATE_DIFFERS: row(
    'failed',
    false,
    1,
    500,
    'A snapshot differs from the state that the log gives; a rebuild folds all snapshots from the log again.',
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
    'A line of a ledger does not have the form of docs/reference/protocol.md#ledgers; the message names the line.',
  ),
  CERTIFICATE_INVALID: row(
    'rejected',
    false,
    1,
    422,
    'The file is not a certificate, or it was changed after it was signed.',
  ),
  CERTIFICATE_UNTRUSTED: row(
    'rejected',
    false,
    1,
    403,
    'The certificate is signed with a key that you do not trust here.',
  ),
  DATA_DIR_UNUSABLE: row('failed', false, 3, 500, 'The data directory cannot be written or is damaged.'),
  BROKER_UNREACHABLE: row('failed', true, 3, 503, 'No broker replies for that data directory or server.'),
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
    'Standard output or a file cannot be written: the disk is full, a right is missing, or the device refuses.',
  ),
  USAGE: row('rejected', false, 2, 400, 'The command line cannot be understood.'),
  ANSWER_TOO_LARGE: row(
    'failed',
    false,
    1,
    413,
    'The reply is larger than one message of the server; ask for a part, or read the record from the log.',
  ),
  INTERNAL: row(
    'failed',
    false,
    1,
    500,
    "A fault of the broker itself; the broker's output has the details.",
  ),
} as const satisfies Record<string, ErrorRow>;

/** A code of the table of errors. */
export type ErrorCode = keyof typeof ERRORS;

/** Whether a code is one of the table of errors. A module has its own codes too. */
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/**
 * The codes for faults of a module, also at its last try: a command with such a result becomes a dead letter. Faults
 * of a sender, and rejections of the domain, make no dead letter.
 */
const DEADLY: ReadonlySet<string> = new Set<ErrorCode>([
  'HANDLER_THREW',
  'HANDLER_TIMEOUT',
  'HANDLER_CRASHED',
  'OUTCOME_INVALID',
  'OUTCOME_TOO_LARGE',
  'REPLAY_DIFFERS',
  'CHAIN_TOO_LONG',
]);

export const isDeadly = (code: string): boolean => DEADLY.has(code);
