import type { Draft } from '../../broker/journal/draft.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';

/** Headers that mean the same whenever the command is sent. */
const KEPT = [HEADER.priority, HEADER.trace, HEADER.contentType, HEADER.schedule, HEADER.next] as const;

/** Headers that name another record of the log. */
const SEQUENCES = [HEADER.conversation, HEADER.redrives] as const;

/**
 * A recorded command as it is sent again: same sender, same payload. Its deadline is as far away as it was; what names
 * another record names the one that stands for it now. Identity and fence are the sandbox's own.
 */
export const feedDraft = (
  command: StoredMessage,
  sequences: ReadonlyMap<number, number>,
  now = Date.now(),
): Draft => {
  const headers: Record<string, string> = {};
  for (const name of KEPT) {
    const value = command.header(name);
    if (value !== undefined) headers[name] = value;
  }
  for (const name of SEQUENCES) {
    const seq = parseSequence(command.header(name) ?? '');
    if (seq !== undefined) headers[name] = String(sequences.get(seq) ?? seq);
  }
  const deadline = command.header(HEADER.deadline);
  const until = Date.parse(deadline ?? '');
  if (deadline !== undefined)
    headers[HEADER.deadline] = Number.isNaN(until)
      ? deadline
      : new Date(until - command.timeMs + now).toISOString();
  return { subject: command.subject, data: command.data, headers };
};
