import { HEADER } from '../../schemas/headers.js';
import { parseIdentity, parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';

/** The producer that records what an operator has redriven. */
const REDRIVER = 'gateway';

/** The letter that a command says it redrives, as the broker would have written it. */
export const letterRedrivenBy = (message: StoredMessage): number | undefined => {
  const letter = parseSequence(message.header(HEADER.redrives) ?? '');
  if (letter === undefined) return undefined;
  return parseIdentity(message.header(HEADER.id) ?? '')?.producer === REDRIVER ? letter : undefined;
};
