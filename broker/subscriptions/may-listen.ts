import { allows, missingGrant } from '../../schemas/grants.js';
import { PRINCIPAL_MARK, principalOf } from '../../schemas/names.js';
import { judgeOperator } from '../access/admission.js';
import { roleOf } from '../access/principal-plan.js';
import type { KnownPrincipal } from '../access/principals.js';
import type { MayListen } from './subscriptions.js';

/**
 * Whether an account may listen to events, judged by the grants `listen` that its principal has now. Guests and the
 * operator hear all events: the server gives the subjects of subscriptions to guests that may.
 */
export const mayListen =
  (
    account: string,
    principals: { readonly judged: (account: string) => KnownPrincipal | undefined },
    now = Date.now(),
  ): MayListen =>
  ({ events, agent }) => {
    if (!account.startsWith(PRINCIPAL_MARK)) return undefined;
    const over = judgeOperator(account, principals, now);
    if (over !== undefined) return over;
    const rights = principals.judged(account)?.rights ?? [];
    // A role reads the log, which has all events.
    if (roleOf(rights) !== undefined) return undefined;
    for (const entry of events) {
      const [module = '', event = ''] = entry.replace('>', '*').split('.');
      const named = [module, event];
      // Without an agent, it is also about events of no agent. A grant that names agents does not have those.
      const asked = agent === null ? [named, [...named, '*']] : [[...named, agent]];
      const missing = asked.find((parts) => !allows(rights, { method: 'listen', parts }));
      if (missing === undefined) continue;
      const who = principalOf(account) ?? account;
      return missingGrant(who, who, { method: 'listen', parts: agent === null ? named : missing });
    }
    return undefined;
  };
