import { isPeople } from '../schemas/names.js';
import type { Audit } from './audit/audit.js';
import type { Link } from './server/link.js';
import { ConnectionChurn } from './serving/connection-churn.js';
import type { ServerViolations } from './serving/server-violations.js';
import { SubscriptionChurn } from './serving/subscription-churn.js';
import type { ModuleFloods } from './supervisor/module-floods.js';
import type { SupervisedModules } from './supervisor/supervised-modules.js';

export interface ChurnParts {
  readonly link: Pick<Link, 'onOpened' | 'reports'>;
  readonly modules: Pick<SupervisedModules, 'find'>;
  readonly floods: Pick<ModuleFloods, 'unseen'>;
  readonly audit: Pick<Audit, 'wasCut'>;
  readonly violations: Pick<ServerViolations, 'onFlood'>;
}

/** Its programs have all rights anyway. */
const OPERATOR = 'operator';

/**
 * Cuts off who makes connections or subscriptions and ends them without a pause, and who sends on what the server
 * refuses: no request comes of it, and others wait for the server.
 */
export const watchChurn = ({ link, modules, floods, audit, violations }: ChurnParts): Disposable => {
  const cut = (account: string, connections: readonly number[], what: string): void => {
    if (modules.find(account) !== undefined) return floods.unseen(account, what);
    if (!isPeople(account) || account === OPERATOR) return;
    for (const cid of connections) void link.reports.end(cid).catch(() => undefined);
    const detail = `it made more than ${what} in a second`;
    if (connections.length > 0) audit.wasCut({ principal: account, target: 'its connection', detail });
  };
  const connects = new ConnectionChurn({ cut: (account, cid, what) => cut(account, [cid], what) });
  violations.onFlood((account, cid, what) => cut(account, [cid], what));
  link.onOpened((account, cid) => connects.opened(account, cid));
  const subscriptions = new SubscriptionChurn({
    made: link.reports.subscriptionsMade,
    accounts: () =>
      link.reports.accounts().filter((name) => isPeople(name) || modules.find(name) !== undefined),
    connections: link.reports.connections,
    cut,
  });
  return { [Symbol.dispose]: () => subscriptions.close() };
};
