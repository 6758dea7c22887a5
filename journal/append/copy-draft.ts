import { HEADER } from '../../schemas/headers.js';
import { formatPart } from '../../schemas/identity.js';
import type { PromisedCopy } from '../../schemas/result-bytes.js';
import type { Draft } from './draft.js';

/** One of the records that an outcome causes, with its headers from the outcome. */
export interface Copy {
  /** Sequence of the command. */
  readonly cause: number;
  readonly conversation: number;
  /** `Tally-Schema` of the result. */
  readonly schema: string | undefined;
  /** It is copy i of n, i from 1. */
  readonly i: number;
  readonly n: number;
  readonly out: PromisedCopy;
}

/**
 * A copy in its stored form, which does not depend on who stores it and when: its payload is the bytes in the result.
 * An event has the form in which its result was written, even if its module has another one now. A command has the
 * form of its callee, of which the sender's schema version says nothing.
 */
export const copyDraft = ({ cause, conversation, schema, i, n, out: { subject, data } }: Copy): Draft => ({
  subject,
  data,
  headers: {
    [HEADER.cause]: String(cause),
    [HEADER.conversation]: String(conversation),
    [HEADER.part]: formatPart({ i, n }),
    ...(schema === undefined || subject.startsWith('cmd.') ? {} : { [HEADER.schema]: schema }),
  },
});
