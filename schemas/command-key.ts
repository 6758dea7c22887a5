import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { HEADER } from './headers.js';

/** The most characters of a key. */
export const MAX_KEY_LENGTH = 128;

/** A key names one command of its sender for so long after the command is stored, milliseconds: 24 hours. */
export const KEY_WINDOW_MS = 24 * 3_600_000;

/** The most keys that one sender may have in the window. Each takes some 200 bytes of disk, and none of memory. */
export const MAX_SENDER_KEYS = 4_000_000;

const KEY = new RegExp(`^[!-~]{1,${MAX_KEY_LENGTH}}$`);

/** Reads a key that a sender gives to a command or a schedule, `order-17`; HEADER_INVALID. */
export const parseKey = (text: string): Either<Fault, string> =>
  KEY.test(text)
    ? right(text)
    : left(
        fault(
          'HEADER_INVALID',
          `${HEADER.key}: ${JSON.stringify(text.slice(0, MAX_KEY_LENGTH))} is not 1 to ${MAX_KEY_LENGTH} printable ASCII characters without a blank`,
        ),
      );
