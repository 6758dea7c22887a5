import { cancelledFault } from '../../schemas/cancel.js';
import type { Announces } from '../../system/async/announcer.js';
import type { IndexNews, LogIndex } from '../index/log-index.js';
import type { OpenCommand } from '../index/open-commands.js';
import type { Wakes } from '../waits/wakes.js';

type KnownLog = Announces<IndexNews> & Pick<LogIndex, 'commands' | 'cancelled'>;

/**
 * Wakes handlers that wait when their command is cancelled: the wait is where they meet the cancel. A handler that has
 * met it waits as long as it likes.
 */
export const wakeCancelled = (index: KnownLog, wakes: Pick<Wakes, 'wake'>): void => {
  /** Commands whose wake is on its way. */
  const waking = new Set<number>();
  let isCaughtUp = false;
  const wake = (command: OpenCommand | undefined): void => {
    if (command === undefined || command.cancel === 0 || command.isCancelMet) return;
    const { seq, cancel } = command;
    if (waking.has(seq) || index.commands.waitsOf(seq).length === 0) return;
    waking.add(seq);
    const { code, message } = cancelledFault(cancel);
    void wakes.wake(seq, { status: 'failed', error: { code, message } }).finally(() => waking.delete(seq));
  };
  index.on('cancelled', wake);
  // The module may learn of the cancel just after the wait began.
  index.on('wait', (seq) => {
    if (isCaughtUp) wake(index.commands.get(seq));
  });
  index.on('caughtUp', () => {
    isCaughtUp = true;
    for (const seq of index.cancelled.all()) wake(index.commands.get(seq));
  });
};
