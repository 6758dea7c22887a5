import { encodeJson } from '../../schemas/json.js';
import type { Refusal } from '../../schemas/result.js';
import type { HideTexts } from '../../text/hidden-texts.js';
import type { Outcome } from './handler-outcome.js';

/**
 * Hides secrets of the configuration in the text of a refusal and in its stack. An error of a library may quote the
 * password that was refused, and the log keeps the text for ever.
 */
export const outcomeWithoutSecrets = (outcome: Outcome, hide: HideTexts | undefined): Outcome => {
  const { refusal, stack } = outcome;
  if (hide === undefined || refusal === undefined) return outcome;
  const message = hide(refusal.error.message);
  const shown = stack === undefined ? undefined : hide(stack);
  if (message === refusal.error.message && shown === stack) return outcome;
  const hidden: Refusal = { ...refusal, error: { ...refusal.error, message } };
  return {
    ...outcome,
    refusal: hidden,
    body: encodeJson(hidden),
    ...(shown === undefined ? {} : { stack: shown }),
  };
};
