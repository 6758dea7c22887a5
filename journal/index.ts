/** The only way in and out of the log. */
export { type DialOptions, dial } from '../link/dial.js';
export { Appender, type AppenderOptions, type Unsettled } from './append/appender.js';
export { type Copy, copyDraft } from './append/copy-draft.js';
export {
  type Appended,
  type Draft,
  isInLog,
  type JournalError,
  type Receipt,
  type Settle,
} from './append/draft.js';
export { BROKER, type EpochRecord, type OpenedEpoch, openBrokerEpoch, openEpoch } from './epochs/epoch.js';
export {
  type BrokerEpochs,
  brokerEpochs,
  type EpochSource,
  type LastEpoch,
  type NextEpoch,
} from './epochs/epoch-source.js';
export { GROUPING, type Grouping } from './append/grouping.js';
export type { Kept, OutboxBacklog, OnKept, Outbox, SentUnder } from './producer/outbox.js';
export { Producer } from './producer/producer.js';
export type { Accepted, ProducerOptions, SubmitOptions } from './producer/producer-options.js';
export { Pull, type Pulled, type PullOptions } from './read/pull.js';
export { type ReadOptions, readLog, readLogBatches } from './read/reader.js';
export { requestedEpochs, type RequestedEpochs } from './epochs/requested-epochs.js';
export type { Resumed } from './producer/resumption.js';
export { type EpochEnd, ModuleRecovery, NumberRecovery } from './append/recovery.js';
export {
  type AgentSelection,
  type ModuleNames,
  type Selection,
  subjectFilters,
} from './read/subject-filters.js';

/** The types that the signatures above need, for a program that names them. */
export type { Delivered } from '../link/message-headers.js';
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../schemas/error-table.js';
export type { Fault } from '../schemas/errors.js';
export type { RawRecord, StoredMessage, WholeMessage } from '../schemas/record.js';
export type { PromisedCopy } from '../schemas/result-bytes.js';
export type { CommandSubject, LogSubject, RecordKind } from '../schemas/subjects.js';
export type { NumberedRun } from './append/numbering.js';
export type { MissingCopy } from './append/recovery.js';
export type { EpochRequest, Look } from './epochs/epoch.js';
export type { ReadRange } from './read/reader-position.js';
export type { LogMessage } from './wire/stored-message.js';
export type { WireRecord } from './wire/wire-record.js';
