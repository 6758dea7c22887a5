import type { Draft } from '../../journal/append/draft.js';
import { isSamePayload } from '../../schemas/canonical-json.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { splitSubject } from '../../schemas/subjects.js';

const named = (subject: string): string => {
  const parsed = splitSubject(subject);
  if (parsed?.kind !== 'cmd') return subject;
  return `${parsed.module}.${parsed.name}${parsed.agent === undefined ? '' : ` of ${parsed.agent}`}`;
};

/** How a request differs from the command that has its key already; undefined if it is that command. */
export const keyDiffers = (
  stored: Pick<Draft, 'subject' | 'data'>,
  asked: Pick<Draft, 'subject' | 'data'>,
): string | undefined => {
  if (stored.subject !== asked.subject) return `for ${named(stored.subject)}`;
  return isSamePayload(stored.data, asked.data) ? undefined : 'with another payload';
};

export const keyReused = (key: string, owner: string, how: string): Fault =>
  fault('KEY_REUSED', `you gave the key ${key} to ${owner}, ${how}; use another key for another command`);
