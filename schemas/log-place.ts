import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { parseSequence } from './identity.js';
import { parseInstant } from './instant.js';
import { parseDuration } from './quantity.js';

/** A time with hours and minutes. The seconds may be left out. */
const MINUTES = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d)(?=[Zz+-])/;

/** A place in the log: a sequence, an RFC 3339 time, or a duration ago. */
export const parsePlace = (text: string, now = Date.now()): Either<Fault, number | Date> => {
  const sequence = parseSequence(text);
  if (sequence !== undefined) return right(sequence);
  const time = parseInstant(text.replace(MINUTES, '$1:00'));
  if (time !== undefined) return right(new Date(time));
  const ago = parseDuration(text);
  if (!isLeft(ago) && ago.right <= now) return right(new Date(now - ago.right));
  const examples = 'a sequence (17), an RFC 3339 time (2026-01-02T03:04:05Z) or a duration ago (2h)';
  return left(fault('USAGE', `${JSON.stringify(text)} is not one of ${examples}`));
};
