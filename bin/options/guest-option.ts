import type { Option } from 'commander';
import { GUEST_LEVELS } from '../../schemas/guest.js';
import { oneOf } from './option-values.js';

/** `--guest` of the commands that start a broker. */
export const guestOption = (): Option =>
  oneOf(
    '--guest <level>',
    'rights of a client without a token: off (no connection), read (states) or call (default: call on loopback, else off)',
    GUEST_LEVELS,
  );
