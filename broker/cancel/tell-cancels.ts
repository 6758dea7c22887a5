import type { NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import type { CancelledCommand } from '../../schemas/cancel.js';
import { toldCancelledSubject } from '../../schemas/control.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import type { IndexNews, LogIndex } from '../index/log-index.js';
import type { Announces } from '../../system/async/announcer.js';

/**
 * Tells the module of a command that the command is cancelled. A process that does not hear it asks when its next
 * session begins: `ctl.<module>.cancelled`.
 */
export const tellCancels = (
  nc: NatsConnection,
  index: Announces<IndexNews> & Pick<LogIndex, 'commands' | 'cancelled'>,
  directory: Pick<ModuleDirectory, 'find'>,
): void => {
  const tell = (module: string, cancelled: CancelledCommand): void => {
    if (directory.find(module) === undefined || nc.isClosed()) return;
    nc.publish(toldCancelledSubject(module), JSON.stringify(cancelled));
  };
  index.on('cancelled', ({ module }, cancelled) => tell(module, cancelled));
  const link = linkState(nc);
  // What was on its way when the connection of the broker was lost is lost, and the sessions of the modules may last.
  link.onChange(() => {
    if (!link.isUp) return;
    for (const seq of index.cancelled.all()) {
      const { module } = index.commands.get(seq) ?? {};
      const cancelled = module === undefined ? undefined : index.cancelled.get(module, seq);
      if (module !== undefined && cancelled !== undefined) tell(module, cancelled);
    }
  });
};
