/** Names of the headers that records carry; programs in any language may rely on them. See docs/protocol.md. */
export const HEADER = {
  /** `<producer>.<epoch>.<n>`; n from 1 and gap-free within an epoch. */
  id: 'Tally-Id',
  /** Sequence of the command that caused this record. */
  cause: 'Tally-Cause',
  /** Sequence of the first record of the conversation. */
  conversation: 'Tally-Conversation',
  /** On the reply to a call: sequence of the result that answers it. */
  result: 'Tally-Result',
  /** `<i>/<n>` on the copies of one outcome, i from 1. */
  part: 'Tally-Part',
  /** Number of this call within the handler that made it, from 1: with the cause it identifies the call for good. */
  call: 'Tally-Call',
  /** On a result: how many calls its handler made, and a digest over them. See journal/wire/call-digest.ts. */
  calls: 'Tally-Calls',
  /** RFC 3339 time after which a command is not handled any more. */
  deadline: 'Tally-Deadline',
  /** Id of the schedule that a command was sent by. */
  schedule: 'Tally-Schedule',
  /** RFC 3339 time at which that schedule sends the next one; absent on the last. */
  next: 'Tally-Next',
  /** `urgent`: handled before waiting commands of other agents. `normal` is what it is without the header. */
  priority: 'Tally-Priority',
  /** On a result: its command could not be handled and becomes a dead letter; how often it was tried. */
  dead: 'Tally-Dead',
  /** On a command: the sequence of the dead letter's command that it stands for. */
  redrives: 'Tally-Redrives',
  /** Version of the payload's shape: of a result or an event, `schema` of its module's manifest. */
  schema: 'Tally-Schema',
  /** On the answer to a request for a consumer: what to pull by, in the place of the JetStream API. See PULL_CONSUMER. */
  pullBy: 'Tally-Pull',
  fenceSequence: 'Nats-Expected-Last-Subject-Sequence',
  fenceSubject: 'Nats-Expected-Last-Subject-Sequence-Subject',
  messageId: 'Nats-Msg-Id',
  trace: 'traceparent',
  traceState: 'tracestate',
  contentType: 'Content-Type',
  serviceError: 'Nats-Service-Error',
  serviceErrorCode: 'Nats-Service-Error-Code',
  /** Set by the server on what it republishes: where it stands in the stream. */
  storedSequence: 'Nats-Sequence',
} as const;

/** Headers that a request for a command may have, now or later: its command bears them in the log. */
export const CARRIED = [
  HEADER.deadline,
  HEADER.priority,
  HEADER.conversation,
  HEADER.trace,
  HEADER.traceState,
  HEADER.contentType,
] as const;

/** `Tally-Schema` of every payload whose shape no manifest gives a version: epochs, commands, dead letters. */
export const SCHEMA_VERSION = '1';
