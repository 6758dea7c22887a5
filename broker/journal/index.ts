/** The only way in and out of the log. */
export { Appender, type AppenderOptions, type Unsettled } from './appender.js';
export { type Copy, copyDraft } from './copy.js';
export { type Appended, type Draft, isInLog, type JournalError, type Receipt, type Settle } from './draft.js';
export { BROKER, type EpochRecord, type OpenedEpoch, openBrokerEpoch, openEpoch } from './epoch.js';
export {
  type BrokerEpochs,
  brokerEpochs,
  type EpochSource,
  type LastEpoch,
  type NextEpoch,
} from './epoch-source.js';
export { GROUPING, type Grouping } from './grouping.js';
export type { Kept, Left, OnKept, Outbox, Sent } from './outbox.js';
export { type Accepted, Producer, type ProducerOptions, type SubmitOptions } from './producer.js';
export { Pull, type Pulled, type PullOptions } from './pull.js';
export { type ReadOptions, readLog, readLogBatches } from './reader.js';
export { requestedEpochs, type RequestedEpochs } from './requested-epochs.js';
export type { Resumed } from './resumption.js';
export { type EpochEnd, ModuleRecovery, NumberRecovery } from './recovery.js';
export {
  type AgentSelection,
  type ModuleNames,
  type Selection,
  subjectFilters,
} from './subject-filters.js';
