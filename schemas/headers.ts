/**
 * Names of the headers that records carry; programs in any language may rely on them. See docs/reference/protocol.md.
 */
export const HEADER = {
  /** `<producer>.<epoch>.<n>`; n from 1 and gap-free within an epoch. */
  id: 'Tally-Id',
  /** Sequence of the command that caused this record. */
  cause: 'Tally-Cause',
  /** Sequence of the first record of the conversation. */
  conversation: 'Tally-Conversation',
  /** On the reply to a call: sequence of the result. */
  result: 'Tally-Result',
  /** `<i>/<n>` on the copies of one outcome, i from 1. */
  part: 'Tally-Part',
  /** Number of this call, step or wait within its handler, from 1. With the cause it identifies it permanently. */
  call: 'Tally-Call',
  /** On a result: the number of calls and steps of its handler, and their digest. See journal/wire/call-digest.ts. */
  calls: 'Tally-Calls',
  /** On a step that waits: the name of the signal that it waits for. On a wake: the sequence of its signal. */
  signal: 'Tally-Signal',
  /** On a step that waits: the secret part of the id of its promise. */
  promise: 'Tally-Promise',
  /** On a step that waits: RFC 3339 time at which the handler runs again. */
  until: 'Tally-Until',
  /** On a record that cancels a command: the calls of its handler that were cancelled before it, with commas. */
  children: 'Tally-Children',
  /** On a result: the command was cancelled. Sequence of the record that cancelled it. */
  cancelled: 'Tally-Cancelled',
  /** On a record that restarts a command: the operations that its new command keeps. See schemas/restart.ts. */
  kept: 'Tally-Kept',
  /** On a command: sequence of the record that restarts an earlier one as this. */
  restart: 'Tally-Restart',
  /** RFC 3339 time. After it, no module handles the command. */
  deadline: 'Tally-Deadline',
  /**
   * On a command of a client: the sender's own name for it. Commands of one sender with the same key are one command.
   * See docs/decisions/0064.
   */
  key: 'Tally-Key',
  /** On a command that delivers an event: the sequence of the event, and how far its listener was. */
  event: 'Tally-Event',
  /** On a delivery between modules that can hear each other in a circle: the number of deliveries in its chain. */
  chain: 'Tally-Chain',
  /** Id of the schedule that sent the command. */
  schedule: 'Tally-Schedule',
  /** RFC 3339 time of the schedule's next command; absent on the last one. */
  next: 'Tally-Next',
  /** `urgent`: handled before waiting commands of other agents. `normal` is the default. */
  priority: 'Tally-Priority',
  /** On a result whose command becomes a dead letter: the number of tries. */
  dead: 'Tally-Dead',
  /** On a command: the sequence of the command that it redrives or restarts. */
  redrives: 'Tally-Redrives',
  /** Version of the payload's form. On a result or an event it is `schema` of the module's manifest. */
  schema: 'Tally-Schema',
  /**
   * On the reply to a request for a consumer: the subject to pull from, instead of the JetStream API. See
   * PULL_CONSUMER.
   */
  pullBy: 'Tally-Pull',
  /** On a request for a state: it must have all results up to this sequence. */
  atLeast: 'Tally-At-Least',
  fenceSequence: 'Nats-Expected-Last-Subject-Sequence',
  fenceSubject: 'Nats-Expected-Last-Subject-Sequence-Subject',
  messageId: 'Nats-Msg-Id',
  trace: 'traceparent',
  traceState: 'tracestate',
  contentType: 'Content-Type',
  serviceError: 'Nats-Service-Error',
  serviceErrorCode: 'Nats-Service-Error-Code',
  /** On a stored record that the server gives out, or that is sent to listeners: its sequence in the log. */
  storedSequence: 'Nats-Sequence',
  /** With it: its stream, subject and time. */
  storedStream: 'Nats-Stream',
  storedSubject: 'Nats-Subject',
  storedTime: 'Nats-Time-Stamp',
  /** The bytes of a payload that had no room in a message to listeners. */
  storedSize: 'Nats-Msg-Size',
} as const;

/** Headers that a request for a command may have, now or later. Its command has them in the log. */
export const CARRIED = [
  HEADER.deadline,
  HEADER.priority,
  HEADER.conversation,
  HEADER.trace,
  HEADER.traceState,
  HEADER.contentType,
] as const;

/** `Tally-Schema` of payloads whose form has no version in a manifest: epochs, commands, dead letters. */
export const SCHEMA_VERSION = '1';
