import { HEADER } from './headers.js';
import { parseIdentity } from './identity.js';
import { parseInstant } from './instant.js';
import { isName } from './names.js';

/** One firing of a schedule. */
export interface Firing {
  /** Sender and id. */
  readonly schedule: string;
  /** The next firing, in milliseconds since 1970; Infinity: none. It grows from firing to firing. */
  readonly nextMs: number;
}

export const scheduleKey = (sender: string, id: string): string => `${sender}/${id}`;

type Header = (name: string) => string | undefined;

/** The schedule in the headers of a command; undefined if the headers name none that can be read. */
export const firingKey = (sender: string, header: Header): Firing | undefined => {
  const id = header(HEADER.schedule);
  // A sender chooses this value, and it becomes a key of a database.
  if (id === undefined || !isName(id) || !isName(sender)) return undefined;
  const next = header(HEADER.next);
  const nextMs = next === undefined ? Number.POSITIVE_INFINITY : parseInstant(next);
  return nextMs === undefined ? undefined : { schedule: scheduleKey(sender, id), nextMs };
};

/** The producer of the commands of schedules. */
export const SCHEDULER = 'scheduler';

/**
 * The firing to which a command in the log belongs; undefined if no schedule sent it. Only commands that the
 * scheduler stored count: in an old log, senders put these headers on their commands.
 */
export const firingOf = (sender: string, header: Header): Firing | undefined =>
  header(HEADER.schedule) !== undefined && parseIdentity(header(HEADER.id) ?? '')?.producer === SCHEDULER
    ? firingKey(sender, header)
    : undefined;
