import { isDeadly } from '../../schemas/error-table.js';
import { encodeJson } from '../../schemas/json.js';
import type { Refusal } from '../../schemas/result.js';
import type { Outcome } from './handler-outcome.js';

/** An outcome in its stored form: it has a mark for a dead letter, and so has a header. */
export interface StoredOutcome extends Outcome {
  /** Present when the command is a dead letter: how often it was tried. */
  readonly dead?: number;
}

/** Says in a refusal how often the command was tried, and whether it is a dead letter. */
export const storedOutcome = (outcome: Outcome): StoredOutcome => {
  const { refusal, attempts = 1 } = outcome;
  if (refusal === undefined) return outcome;
  const dead = refusal.status === 'failed' && isDeadly(refusal.error.code);
  if (!dead && attempts === 1) return outcome;
  const error = { ...refusal.error, attempts, ...(dead ? { dead } : {}) };
  const body = encodeJson({ status: refusal.status, error } satisfies Refusal);
  return dead ? { ...outcome, body, dead: attempts } : { ...outcome, body };
};
