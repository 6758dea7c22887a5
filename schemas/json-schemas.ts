import type { TSchema } from 'typebox';
import { CancelledCommandSchema, CancelledSchema, CancelRequestSchema, CancelSchema } from './cancel.js';
import {
  BeatSchema,
  CallsReplySchema,
  CallsRequestSchema,
  CancelledReplySchema,
  CancelledRequestSchema,
  ConfiguredSchema,
  ControlErrorSchema,
  ProcessConfigSchema,
  ReadyRequestSchema,
  StartReplySchema,
  StartRequestSchema,
  StepReplySchema,
  StepRequestSchema,
  WakesReplySchema,
  WakesRequestSchema,
} from './control.js';
import { OpenConversationSchema } from './conversation.js';
import { DeadLetterSchema } from './dead.js';
import { DeliveredEventSchema } from './delivered-event.js';
import { HearingRecordSchema } from './hearing-record.js';
import { ExportedRecordSchema, ExportHeadSchema } from './export.js';
import { ManifestSchema } from './manifest.js';
import { BrokerAddressSchema, BrokerStatusSchema, ModuleStatsSchema, ReadySchema } from './operate.js';
import {
  FenceReplySchema,
  FenceRequestSchema,
  OpenReplySchema,
  OpenRequestSchema,
  StoredReplySchema,
  StoredRequestSchema,
} from './producer-requests.js';
import { HistoryRecordSchema } from './record.js';
import { RestartedSchema, RestartRequestSchema, RestartSchema } from './restart.js';
import { ResultSchema } from './result.js';
import { ResultRequestSchema } from './result-request.js';
import { ScheduleSchema } from './schedule.js';
import {
  AcknowledgeSchema,
  EventPageSchema,
  NextEventsSchema,
  OpenSubscriptionSchema,
} from './subscription.js';
import { StepSchema } from './step.js';
import { SignalSchema } from './signal.js';
import { WakeSchema } from './wake.js';
import { CertificateSchema, LedgerEntrySchema, StatementSchema, VerificationSchema } from './verification.js';

/** The schemas that `schemas/json/` publishes for programs in other languages: file name, title, schema. */
const PUBLISHED: readonly (readonly [name: string, title: string, schema: TSchema])[] = [
  ['manifest', 'Manifest of a module', ManifestSchema],
  ['result', 'Body of a result', ResultSchema],
  ['result-request', 'Request for the result of a command', ResultRequestSchema],
  ['history-record', 'One line of history', HistoryRecordSchema],
  ['export-head', 'First line of an export', ExportHeadSchema],
  ['exported-record', 'Record of an export', ExportedRecordSchema],
  ['dead-letter', 'Dead letter', DeadLetterSchema],
  ['delivered-event', 'Delivered event', DeliveredEventSchema],
  ['hearing-record', 'What a module listens to', HearingRecordSchema],
  ['open-conversation', 'Open conversation', OpenConversationSchema],
  ['status', 'Status of a broker', BrokerStatusSchema],
  ['module-stats', 'Statistics of a module', ModuleStatsSchema],
  ['ready', 'Output of start', ReadySchema],
  ['broker-address', 'broker.json', BrokerAddressSchema],
  ['error', 'Error of a control or operator request', ControlErrorSchema],
  ['start-request', 'Request for a new epoch', StartRequestSchema],
  ['start-reply', 'Reply with a new epoch', StartReplySchema],
  ['ready-request', 'A module is ready', ReadyRequestSchema],
  ['calls-request', 'Request for the calls of a handler', CallsRequestSchema],
  ['calls-reply', 'Calls of a handler in the log', CallsReplySchema],
  ['step-request', 'Request for a step of a handler', StepRequestSchema],
  ['step-reply', 'Step of a handler in the log', StepReplySchema],
  ['wakes-request', 'Request for wakes of handlers', WakesRequestSchema],
  ['wakes-reply', 'Wakes of handlers', WakesReplySchema],
  ['step', 'Body of a step', StepSchema],
  ['wake', 'Body of a wake', WakeSchema],
  ['cancel', 'Body of a cancel', CancelSchema],
  ['cancel-request', 'Request to cancel a command', CancelRequestSchema],
  ['cancel-reply', 'What a cancel came to', CancelledSchema],
  ['restart', 'Body of a restart', RestartSchema],
  ['restart-request', 'Request to restart a command', RestartRequestSchema],
  ['restart-reply', 'What a restart came to', RestartedSchema],
  ['cancelled-command', 'A command of a module is cancelled', CancelledCommandSchema],
  ['cancelled-request', 'Request for the cancelled commands of a module', CancelledRequestSchema],
  ['cancelled-reply', 'Cancelled commands of a module', CancelledReplySchema],
  ['signal', 'Body of a signal', SignalSchema],
  ['subscription-open-request', 'Request for a subscription', OpenSubscriptionSchema],
  ['subscription-next-request', 'Request for events of a subscription', NextEventsSchema],
  ['subscription-ack-request', 'Acknowledgement of events', AcknowledgeSchema],
  ['event-page', 'Events of a subscription', EventPageSchema],
  ['process-config', 'A line of the configuration of a module', ProcessConfigSchema],
  ['configured', 'A module has taken a configuration', ConfiguredSchema],
  ['beat', 'Heartbeat of a module', BeatSchema],
  ['producer-fence-request', 'Request to fence an epoch', FenceRequestSchema],
  ['producer-fence-reply', 'Reply with a fence', FenceReplySchema],
  ['producer-stored-request', 'Request for the stored records', StoredRequestSchema],
  ['producer-stored-reply', 'Stored records', StoredReplySchema],
  ['producer-open-request', 'Request of a program for an epoch', OpenRequestSchema],
  ['producer-open-reply', 'Reply with an epoch', OpenReplySchema],
  ['schedule', 'A scheduled command', ScheduleSchema],
  ['verification', 'Report of a verification', VerificationSchema],
  ['ledger-entry', 'A line of a ledger', LedgerEntrySchema],
  ['certificate', 'Signed statement about a range of a log', CertificateSchema],
  ['statement', 'Statement of a certificate', StatementSchema],
];

/** The text of each published file by its name. */
export const jsonSchemaFiles = (): ReadonlyMap<string, string> =>
  new Map(
    PUBLISHED.map(([name, title, schema]) => [
      `${name}.schema.json`,
      `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema }, undefined, 2)}\n`,
    ]),
  );
