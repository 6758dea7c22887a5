import { deliveryOf, EVENTS_SENDER } from '../../schemas/heard-events.js';
import { HEADER } from '../../schemas/headers.js';
import { type Part, parsePart, parseSequence } from '../../schemas/identity.js';
import { Payload } from '../../schemas/payload.js';
import { type HistoryRecord, type StoredMessage, toHistory } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';

/** A record with what its headers say of its place in a conversation. */
export interface TraceRecord extends HistoryRecord {
  /** When the server stored it: milliseconds since 1970, as exactly as it is known. */
  readonly timeMs: number;
  /** Which of the copies of its outcome it is. */
  readonly part: Part | null;
  /** Which of its handler's calls it is, from 1. */
  readonly call: number | null;
  /** Of a result: its command is a dead letter, tried so often. */
  readonly dead: number | null;
  /** Command of the dead letter that it redrives. */
  readonly redrives: number | null;
  /** Id of the schedule that sent it. */
  readonly schedule: string | null;
  /** The event that the command brings to a module that listens. */
  readonly event: number | null;
  /** When it expires, as it was sent. */
  readonly deadline: string | null;
}

/** Anyone can set the header: it counts where the broker sent the command. */
const eventOf = (message: StoredMessage): number | null => {
  const subject = splitSubject(message.subject);
  if (subject?.kind !== 'cmd' || subject.sender !== EVENTS_SENDER) return null;
  return deliveryOf(subject.module, (name) => message.header(name))?.event ?? null;
};

/** A stored message as a record of a trace. */
export const toTraceRecord = (message: StoredMessage): TraceRecord => {
  const number = (name: string): number | null => parseSequence(message.header(name) ?? '') ?? null;
  const { timeMs, timeUs } = message;
  return {
    ...toHistory(message),
    // Its own bytes: those of the message are a part of many, which would be kept with it.
    payload: new Payload(new Uint8Array(message.data)),
    timeMs: timeUs === undefined ? timeMs : timeUs / 1_000,
    part: parsePart(message.header(HEADER.part) ?? '') ?? null,
    call: number(HEADER.call),
    dead: number(HEADER.dead),
    redrives: number(HEADER.redrives),
    schedule: message.header(HEADER.schedule) ?? null,
    event: eventOf(message),
    deadline: message.header(HEADER.deadline) ?? null,
  };
};
