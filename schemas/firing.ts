import { HEADER } from './headers.js';
import { parseIdentity } from './identity.js';
import { parseInstant } from './instant.js';
import { isName } from './names.js';

/** One firing of a schedule. */
export interface Firing {
  /** Sender and id. */
  readonly schedule: string;
  /** When the schedule fires next, milliseconds since 1970; Infinity when it does not. It grows from firing to firing. */
  readonly nextMs: number;
}

export const scheduleKey = (sender: string, id: string): string => `${sender}/${id}`;

type Header = (name: string) => string | undefined;

/** What the headers of a command say of its schedule; undefined where they say nothing that can be read. */
export const firingKey = (sender: string, header: Header): Firing | undefined => {
  const id = header(HEADER.schedule);
  // What anybody can write becomes a key of a database.
  if (id === undefined || !isName(id) || !isName(sender)) return undefined;
  const next = header(HEADER.next);
  const nextMs = next === undefined ? Number.POSITIVE_INFINITY : parseInstant(next);
  return nextMs === undefined ? undefined : { schedule: scheduleKey(sender, id), nextMs };
};

/** The producer of commands that schedules send. */
export const SCHEDULER = 'scheduler';

/**
 * The firing that a command in the log is of; undefined when it was not scheduled. Only what the scheduler stored counts: in an
 * old log senders put these headers on commands of their own.
 */
export const firingOf = (sender: string, header: Header): Firing | undefined =>
  header(HEADER.schedule) !== undefined && parseIdentity(header(HEADER.id) ?? '')?.producer === SCHEDULER
    ? firingKey(sender, header)
    : undefined;
