import { HEADER } from '../../schemas/headers.js';
import { parseInstant } from '../../schemas/instant.js';
import { isName } from '../../schemas/names.js';

/** One firing of a schedule. */
export interface Firing {
  /**
   * Sender and id: a sender can put any header on a command of its own, and so pretend a firing of its own schedules,
   * but of nobody else's.
   */
  readonly schedule: string;
  /**
   * When the schedule fires next, milliseconds since 1970; Infinity when it does not. It grows from firing to firing, and
   * stays the same where the server, killed soon after, fires again what it had fired.
   */
  readonly nextMs: number;
}

export const scheduleKey = (sender: string, id: string): string => `${sender}/${id}`;

/** The firing that a command in the log is of, by its sender and headers; undefined when it was not scheduled. */
export const firingOf = (
  sender: string,
  header: (name: string) => string | undefined,
): Firing | undefined => {
  const id = header(HEADER.schedule);
  // What anybody can write becomes a key of a database.
  if (id === undefined || !isName(id) || !isName(sender)) return undefined;
  const next = header(HEADER.next);
  const nextMs = next === undefined ? Number.POSITIVE_INFINITY : parseInstant(next);
  return nextMs === undefined ? undefined : { schedule: scheduleKey(sender, id), nextMs };
};
