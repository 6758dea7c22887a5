import type { Draft } from '../../journal/append/draft.js';
import { HEADER } from '../../schemas/headers.js';
import { parseInstant } from '../../schemas/instant.js';
import { parseSequence } from '../../schemas/identity.js';
import type { WholeMessage } from '../../schemas/record.js';
import { decodeHeaders } from '../../journal/wire/header-block.js';

/** Headers of the log and of the server; all others are the sender's own. */
const OURS = /^(?:tally|nats)-/i;
/** Those of ours that mean the same whenever the command is sent. */
const KEPT: ReadonlySet<string> = new Set([HEADER.priority, HEADER.schedule, HEADER.next]);

/** Headers that name another record of the log. */
const SEQUENCES = [HEADER.conversation, HEADER.redrives] as const;

/**
 * A recorded command as it is sent again: same sender, same payload, and the sender's own headers, the first value of
 * each. Its deadline is as far away as it was; what names another record names the one that stands for it now.
 * Identity and fence are the sandbox's own.
 */
export const feedDraft = (
  command: WholeMessage,
  sequences: ReadonlyMap<number, number>,
  now = Date.now(),
): Draft => {
  // A sender's header may be called as what every object has.
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, [value]] of Object.entries(decodeHeaders(command.headerBytes) ?? {}))
    if (value !== undefined && (KEPT.has(name) || !OURS.test(name))) headers[name] = value;
  for (const name of SEQUENCES) {
    const seq = parseSequence(command.header(name) ?? '');
    if (seq !== undefined) headers[name] = String(sequences.get(seq) ?? seq);
  }
  const deadline = command.header(HEADER.deadline);
  const until = parseInstant(deadline ?? '');
  if (deadline !== undefined)
    headers[HEADER.deadline] =
      until === undefined ? deadline : new Date(until - command.timeMs + now).toISOString();
  return { subject: command.subject, data: command.data, headers };
};
