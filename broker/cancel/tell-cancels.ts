import type { NatsConnection } from 'nats';
import { toldCancelledSubject } from '../../schemas/control.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import type { IndexNews } from '../index/log-index.js';
import type { Announces } from '../../system/async/announcer.js';

/**
 * Tells the module of a command that the command is cancelled. A process that does not hear it asks when its next
 * session begins: `ctl.<module>.cancelled`.
 */
export const tellCancels = (
  nc: NatsConnection,
  index: Announces<IndexNews>,
  directory: Pick<ModuleDirectory, 'find'>,
): void => {
  index.on('cancelled', ({ module }, cancelled) => {
    if (directory.find(module) === undefined || nc.isClosed()) return;
    nc.publish(toldCancelledSubject(module), JSON.stringify(cancelled));
  });
};
