import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { whileLinked } from '../../link/linked-request.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { type EventDelivery, deliveryOf, EVENTS_SENDER, hearingSubject } from '../../schemas/heard-events.js';
import {
  floorOf,
  type HeardStretch,
  type HearingRecord,
  HearingRecordSchema,
  stretchesAt,
} from '../../schemas/hearing-record.js';
import { parseJson } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import type { StoredMessage } from '../../schemas/record.js';
import { compileOnUse } from '../../schemas/validate.js';
import { isLeft } from 'fp-ts/lib/Either.js';

/** How far a module has been brought the events that it listens to, as the log says it. */
export interface HearingPlace {
  readonly stretches: readonly HeardStretch[];
  /** All that was due up to here is delivered. */
  readonly floor: number;
  /** Deliveries of events above the floor lie behind this sequence. */
  readonly behind: number;
  /** Events above the floor that are delivered. */
  readonly done: ReadonlySet<number>;
}

const check = compileOnUse<HearingRecord>(HearingRecordSchema, 'LOG_UNAVAILABLE', 'what a module listens to');

const NOWHERE: HearingPlace = { stretches: [], floor: 0, behind: 0, done: new Set() };

/** The place right behind a record that says what a module listens to. */
export const placeAt = (record: HearingRecord, seq: number): HearingPlace => {
  const stretches = stretchesAt(record, seq);
  // Without anything that is due, nothing is below.
  const floor = Math.min(floorOf(stretches), seq);
  return { stretches, floor, behind: seq, done: new Set() };
};

const recordIn = (message: StoredMessage): HearingRecord => {
  const json = parseJson(message.data);
  const record = isLeft(json) ? json : check(json.right);
  if (isLeft(record)) {
    const text = `record ${message.seq} does not say what a module listens to: ${record.left.message}`;
    throw new FaultError(fault('LOG_UNAVAILABLE', text));
  }
  return record.right;
};

/** The subjects of all commands by which a module hears events. */
const deliverySubjects = (listener: string): readonly string[] => [
  `cmd.${listener}.*.${EVENTS_SENDER}`,
  `cmd.${listener}.*.*.${EVENTS_SENDER}`,
];

const deliveryIn = (listener: string, message: StoredMessage): EventDelivery | undefined =>
  deliveryOf(listener, (name) => message.header(name));

/**
 * Reads from the log how far a module has come. The last delivery says up to where all are there, and the few behind
 * say which of the others are: an epoch that broke may have stored a later one and not an earlier one.
 */
export const lookUpPlace = async (
  nc: NatsConnection,
  jsm: JetStreamManager,
  listener: string,
): Promise<HearingPlace> => {
  const last = async (subject: string): Promise<StoredMessage | undefined> => {
    const found = await whileLinked(nc, () => jsm.streams.getMessage(LOG, { last_by_subj: subject }));
    if (found === null) return undefined;
    const { seq, subject: stored, timestamp, time, data, header } = found;
    const value = (name: string): string | undefined => header.get(name) || undefined;
    return { seq, subject: stored, time: timestamp, timeMs: time.getTime(), data, header: value };
  };
  const said = await last(hearingSubject(listener));
  if (said === undefined) return NOWHERE;
  const delivered = await Promise.all(deliverySubjects(listener).map(last));
  const place = placeAt(recordIn(said), said.seq);
  const message = delivered
    .flatMap((each) => each ?? [])
    .reduce<StoredMessage | undefined>((a, b) => (a !== undefined && a.seq > b.seq ? a : b), undefined);
  if (message === undefined || message.seq < said.seq) return place;
  const newest = deliveryIn(listener, message);
  if (newest === undefined) return place;
  const done = new Set<number>();
  const behind = Math.max(newest.behind, said.seq);
  // One filter: for several the server takes long where there are many agents.
  const range = { fromSeq: behind + 1, toSeq: message.seq, filters: [`cmd.${listener}.>`] };
  for await (const each of readLog(nc, { ...range, headersOnly: true })) {
    const event = deliveryIn(listener, each)?.event ?? 0;
    if (event > newest.floor) done.add(event);
  }
  return { stretches: place.stretches, floor: newest.floor, behind, done };
};
