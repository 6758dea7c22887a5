import { headers as makeHeaders, type MsgHdrs } from 'nats';
import { CARRIED, HEADER } from '../../schemas/headers.js';
import { parseInstant } from '../../schemas/instant.js';
import { isName } from '../../schemas/names.js';
import { type Timing, timingOf, timingText } from '../../schemas/schedule.js';
import { type Address, splitSubject, storedCommandSubject } from '../../schemas/subjects.js';
import type { Draft } from '../../journal/append/draft.js';
import type { StreamMessage } from './page.js';

/** A schedule as its stream has it, without payload and headers of its commands. */
export interface Definition {
  readonly id: string;
  readonly address: Address;
  readonly sender: string;
  readonly timing: Timing;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

/** Headers of a stored schedule that its commands do not have. */
const STORED = {
  /** The subject that its command has in the log. */
  command: 'Tally-Command',
  when: 'Tally-When',
  zone: 'Tally-Timezone',
  created: 'Tally-Created',
} as const;

type Get = (name: string) => string;

/** The headers of a stored schedule. `carried` are those of its commands. */
export const definitionHeaders = (
  { id, address, sender, timing, createdMs }: Definition,
  carried: Readonly<Record<string, string>>,
): MsgHdrs => {
  const all = makeHeaders();
  for (const [name, value] of Object.entries(carried)) all.set(name, value);
  all.set(HEADER.schedule, id);
  all.set(STORED.command, storedCommandSubject(address, sender));
  all.set(STORED.when, timingText(timing));
  all.set(STORED.created, new Date(createdMs).toISOString());
  if (timing.kind === 'cron' && timing.timezone !== undefined) all.set(STORED.zone, timing.timezone);
  return all;
};

/** What the headers of a message say about a command for later; undefined where they say none that can be read. */
const definitionOf = (
  id: string,
  subject: string,
  timing: Timing | undefined,
  createdMs: number | undefined,
): Definition | undefined => {
  const command = splitSubject(subject);
  if (!isName(id) || command?.kind !== 'cmd' || timing === undefined || createdMs === undefined)
    return undefined;
  const { module, name, agent, sender } = command;
  const address = { module, name, ...(agent === undefined ? {} : { agent }) };
  return { id, address, sender, timing, createdMs };
};

const lastToken = (subject: string): string => subject.slice(subject.indexOf('.') + 1);

/** Reads a stored schedule; undefined for a message that is none. */
export const readDefinition = ({
  subject,
  header,
}: Pick<StreamMessage, 'subject' | 'header'>): Definition | undefined => {
  const get: Get = (name) => header.get(name);
  const timing = timingOf(get(STORED.when), get(STORED.zone));
  return definitionOf(lastToken(subject), get(STORED.command), timing, parseInstant(get(STORED.created)));
};

/** The same of a schedule of an earlier broker, which the server was to fire. */
export const readServerSchedule = ({ subject, header, time }: StreamMessage): Definition | undefined => {
  const get: Get = (name) => header.get(name);
  const timing = timingOf(get('Nats-Schedule'), get('Nats-Schedule-Time-Zone'));
  const createdMs = time.getTime();
  return definitionOf(
    lastToken(subject),
    get(STORED.command),
    timing,
    Number.isNaN(createdMs) ? undefined : createdMs,
  );
};

/** The headers of a stored schedule that its commands have. */
export const carriedHeaders = (header: StreamMessage['header']): Readonly<Record<string, string>> =>
  Object.fromEntries(CARRIED.flatMap((name) => (header.get(name) === '' ? [] : [[name, header.get(name)]])));

/**
 * The command that a schedule sends, or that an earlier broker had the server send. `next`: RFC 3339; none for the
 * last.
 */
export const firedDraft = (
  { header, data }: Pick<StreamMessage, 'header' | 'data'>,
  id: string,
  next: string | undefined,
): Draft => ({
  subject: header.get(STORED.command),
  data,
  headers: {
    ...carriedHeaders(header),
    [HEADER.schedule]: id,
    ...(next === undefined ? {} : { [HEADER.next]: next }),
  },
});
