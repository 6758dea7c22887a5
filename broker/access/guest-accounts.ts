import type { GuestLevel } from '../../schemas/guest.js';
import { type AccountPlan, discovery, guestPlan, readStates } from './accounts.js';
import { principalLimits } from './limits.js';
import type { LimitsInForce } from '../serving/limits-in-force.js';

/** A guest who looks and changes nothing. It hears no `live.…`: that has the payloads of all commands. */
const readingGuest = (plan: AccountPlan): AccountPlan => {
  const imports = [...readStates(plan.name), ...discovery(plan.name)].map((each) => ({
    ...each,
    share: true,
  }));
  return {
    ...plan,
    imports,
    publish: { allow: imports.map(({ subject, as = subject }) => as) },
    subscribe: { allow: ['_INBOX.>'] },
  };
};

/** The account of clients without a credential, by level; none at all for `off`. */
export const guestAccounts = (level: GuestLevel, limits: LimitsInForce): readonly AccountPlan[] => {
  const plan = guestPlan(principalLimits(limits));
  switch (level) {
    case 'off':
      return [];
    case 'read':
      return [readingGuest(plan)];
    case 'call':
      return [plan];
  }
};
