import type { NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import { toldAgainSubject } from '../../schemas/control.js';
import type { SupervisedModules } from '../supervisor/supervised-modules.js';

/**
 * Tells all modules when the connection of the broker was lost and is back. Their own connections may have stood all
 * the time: what they asked, or the reply, may be lost, and no other sign of that reaches them.
 */
export const tellAgain = (nc: NatsConnection, modules: Pick<SupervisedModules, 'all'>): void => {
  const link = linkState(nc);
  link.onChange(() => {
    if (!link.isUp || nc.isClosed()) return;
    for (const { manifest } of modules.all()) nc.publish(toldAgainSubject(manifest.name));
  });
};
