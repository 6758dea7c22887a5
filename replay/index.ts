/** What the log says: reading it back for people and programs. */
export { type ModuleNames, type Selection, subjectFilters } from '../journal/read/subject-filters.js';
export { type LineStyle, lineFormatter } from './history/format-line.js';
export { history } from './history/read-history.js';
export type { HistoryEnd, HistoryQuery } from './history/query.js';
export { traceHtml } from './trace/html.js';
export { traceJson } from './trace/trace-json.js';
export { traceMermaid } from './trace/mermaid.js';
export type { TraceOutcome, OutcomeError } from './trace/trace-outcome.js';
export { type ReadTrace, readTrace, type TraceQuery, type TraceRead } from './trace/read-trace.js';
export { type TraceStyle, traceText } from './trace/text.js';
export { type TraceOptions, traceOf } from './trace/trace-of.js';
export { toTraceRecord, type TraceRecord } from './trace/trace-record.js';
export type { Handling, Role, Span, Trace, TraceNode } from './trace/conversation-trace.js';
export type { WalkOptions } from './trace/walk.js';
export { type Bisected, type BisectQuery, firstWhere } from './state/bisect.js';
export { type Change, changesBetween } from './state/changes.js';
export { type AgentStep, agentSteps, type StepsQuery } from './state/state-steps.js';
export { type PathChange, pathChanges, type WatchQuery } from './state/watch-state.js';
export type { Scope } from './expression/evaluate.js';
export { compileExpression, condition } from './expression/expression.js';
export type { Json } from './expression/json-value.js';
export { type Path, parsePath, printPath, valueAt } from './expression/path.js';
export {
  certify,
  checkCertificate,
  readCertificate,
  statementFor,
  writeCertificate,
} from './verify/certificate.js';
export { SEGMENT, type Segment } from './verify/digest.js';
export { openSigningKey, type SigningKey } from './verify/signing-key.js';
export type { SnapshotsToVerify } from './verify/verify-snapshots.js';
export { type Verified, type VerifyOptions, verifyLog } from './verify/verify-log.js';
export { type DiffOptions, diffModule, type ModuleVersion } from './diff/diff-log.js';
export type { Decided, Stopped } from './diff/runner-messages.js';
export type { DiffReport, OutcomeDifference } from './diff/report.js';
export { BreakPoint, type Hit } from './sandbox/break-point.js';
export type { Compared, Verdict } from './sandbox/compare-answers.js';
export { type RecordedRange, rangeOf, readRange, recordsBefore } from './sandbox/recorded-range.js';
export { type Ran, type RunOptions, runRange, type Sandbox } from './sandbox/run-range.js';
export { type PastState, type StateAtQuery, stateAt } from './fold/state-at.js';
export { type Checked, type CheckedModule, type CheckOptions, checkSnapshots } from './rebuild/check.js';
export type { Difference } from './rebuild/comparison.js';
export {
  adoptRebuilt,
  type Rebuilt,
  type RebuiltModule,
  rebuildSnapshots,
} from './rebuild/rebuild-states.js';
export type { WholeFoldOptions } from './rebuild/whole-fold.js';

/** The types that the signatures above need, for a program that names them. */
export type { Draft, Receipt } from '../journal/append/draft.js';
export type { AnyEvent } from '../modules/sdk/checked-outcome.js';
export type { ActionName, EventOf, Input, Output, TypedManifest } from '../modules/sdk/define-manifest.js';
export type {
  Action,
  AnyModule,
  Command,
  Decision,
  EffectAction,
  EffectContext,
  Module,
  PureAction,
  Rejection,
  Send,
} from '../modules/sdk/module-shape.js';
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../schemas/error-table.js';
export type { Fault } from '../schemas/errors.js';
export type { Part } from '../schemas/identity.js';
export type { ActionManifest, ActionSchema, Manifest, ManifestSchema } from '../schemas/manifest.js';
export type { ConfigValues } from '../schemas/module-config.js';
export type { PAYLOAD_FORMS, Payload, PayloadForm } from '../schemas/payload.js';
export type {
  HistoryLine,
  HistoryRecord,
  HistoryRecordSchema,
  RawRecord,
  StoredMessage,
  WholeMessage,
} from '../schemas/record.js';
export type { Refusal, ResultError, ResultErrorSchema } from '../schemas/result.js';
export type { Address, CommandSubject, LogSubject, RecordKind } from '../schemas/subjects.js';
export type { JsonSchema } from '../schemas/validate.js';
export type {
  Certificate,
  CertificateSchema,
  Statement,
  StatementSchema,
  Verification,
  VerificationSchema,
} from '../schemas/verification.js';
export type { AtLeastOptions } from '../store/lmdb/reached.js';
export type { StoredSnapshot } from '../store/snapshots/generation.js';
export type {
  AgentPage,
  AgentState,
  ListOptions,
  ListedAgent,
  ModuleAgents,
  PastAgent,
  RawAgentState,
} from '../store/snapshots/module-agents.js';
export type { Where } from '../store/snapshots/agents-where.js';
export type { FieldValue } from '../schemas/field-value.js';
export type { SnapshotPosition } from '../store/snapshots/snapshot-files.js';
export type { CallMade, ItemVerdict } from './diff/runner-messages.js';
export type { Evaluate } from './expression/expression.js';
export type { Patience } from './history/history-places.js';
export type { BreakPointOptions } from './sandbox/break-point.js';
export type { CommandNode, CommandTree, ResultRecord } from './sandbox/command-tree.js';
export type { AgentQuery } from './state/agent-records.js';
export type { Wait } from './trace/trace-turns.js';
export type { LogPlace } from './verify/range.js';
export type { StepContext, StepFunction, StepOptions } from '../modules/sdk/step-function.js';
export type { TaskSaga, Undo } from '../modules/sdk/saga.js';
export type { SignalOptions, SleepTime } from '../modules/sdk/sleep-time.js';
