import type { Draft } from '../../journal/append/draft.js';
import { HEADER } from '../../schemas/headers.js';
import { schemaOf } from '../../schemas/manifest.js';
import { partOrInvalid } from '../../schemas/names.js';
import { type CommandSubject, resultSubject } from '../../schemas/subjects.js';
import type { AnyModule } from '../sdk/module-shape.js';
import type { Outcome } from './handler-outcome.js';
import type { StoredOutcome } from './stored-outcome.js';

/** What a result says of its handler's calls: one that decided has made them all, one that broke may have left some. */
const statedCalls = ({ calls, refusal }: Outcome): string | undefined =>
  refusal === undefined || refusal.status === 'rejected' ? calls?.stated : undefined;

/** What a result takes from its command. */
export interface DecidedCommand {
  readonly subject: CommandSubject;
  readonly seq: number;
  readonly conversation: number;
}

/** The record of a result: it names its command as its cause, and the conversation of that command. */
export const resultDraft = (
  { manifest }: AnyModule,
  { subject: { name, agent }, seq, conversation }: DecidedCommand,
  outcome: StoredOutcome,
): Draft => {
  const headers: Record<string, string> = {
    [HEADER.cause]: String(seq),
    [HEADER.conversation]: String(conversation),
    [HEADER.schema]: String(schemaOf(manifest)),
  };
  if (outcome.dead !== undefined) headers[HEADER.dead] = String(outcome.dead);
  if (outcome.cancelled !== undefined) headers[HEADER.cancelled] = String(outcome.cancelled);
  const stated = statedCalls(outcome);
  if (stated !== undefined) headers[HEADER.calls] = stated;
  const subject = resultSubject({
    module: manifest.name,
    name: partOrInvalid(name),
    ...(agent === undefined ? {} : { agent: partOrInvalid(agent) }),
  });
  return { subject, data: outcome.body, headers };
};
