/** The language of the log, for programs that read or write it without the rest of the package. */
export { ERRORS, type ErrorCode, type FaultStatus, isErrorCode } from './error-table.js';
export { type Fault, FaultError, fault, toFault } from './errors.js';
export { HEADER, SCHEMA_VERSION } from './headers.js';
export {
  copyId,
  formatIdentity,
  formatPart,
  type Identity,
  type Part,
  parseIdentity,
  parsePart,
  parseSequence,
} from './identity.js';
export { encodeJson, jsonOrText, parseJson } from './json.js';
export { type ActionManifest, type Manifest, ManifestSchema, parseManifest } from './manifest.js';
export { isModuleName, isName, NAME_PATTERN, parseName, RESERVED_NAMES } from './names.js';
export {
  conversationOf,
  type HistoryLine,
  type HistoryRecord,
  historyLine,
  type RawRecord,
  type StoredMessage,
  toHistory,
  type WholeMessage,
} from './record.js';
export { forCaller, type Ok, type Out, type Refusal, type Result, ResultSchema, refusal } from './result.js';
export {
  type Address,
  buildSubject,
  callSubject,
  commandSubject,
  epochSubject,
  eventSubject,
  type LogSubject,
  parseAddress,
  parseSubject,
  type RecordKind,
  resultSubject,
  splitSubject,
  storedCommandSubject,
} from './subjects.js';

/** The types that the signatures above need, for a program that names them. */
export type { ErrorRow } from './error-table.js';
export type { ActionSchema } from './manifest.js';
export type { PAYLOAD_FORMS, Payload, PayloadForm } from './payload.js';
export type { HistoryRecordSchema } from './record.js';
export type { OutSchema, ResultError, ResultErrorSchema } from './result.js';
export type { CommandSubject } from './subjects.js';
export type { JsonSchema } from './validate.js';
