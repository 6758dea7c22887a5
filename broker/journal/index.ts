/** The only way in and out of the log. */
export { Appender, type AppenderOptions, type Draft, type Receipt, type Unsettled } from './appender.js';
export { BROKER, type EpochRecord, type OpenedEpoch, openBrokerEpoch, openEpoch } from './epoch.js';
export { Producer, type ProducerOptions } from './producer.js';
export { Pull, type Pulled, type PullOptions } from './pull.js';
export { type ReadOptions, readLog, readLogBatches } from './reader.js';
export { type EpochEnd, type MissingCopy, ModuleRecovery, NumberRecovery } from './recovery.js';
