import type { CancelledCommand } from '../../schemas/cancel.js';
import type { CancelledReply } from '../../schemas/control.js';
import type { CancelledCommands } from '../index/cancelled-commands.js';

/** Cancelled commands that a module is told of at a time, and sequences in them: so many fit into a reply. */
const PAGE = 1_000;
const NUMBERS = 20_000;

/** Commands of a module that are cancelled and have no result, behind a sequence: a page of them. */
export const cancelledPage = (
  known: Pick<CancelledCommands, 'page'>,
  module: string,
  after: number,
): CancelledReply => {
  const page = known.page(module, after, PAGE);
  const cancelled: CancelledCommand[] = [];
  let numbers = 0;
  for (const each of page) {
    numbers += 2 + (each.children?.length ?? 0);
    if (cancelled.length > 0 && numbers > NUMBERS) break;
    cancelled.push(each);
  }
  return { cancelled, more: cancelled.length < page.length || page.length === PAGE };
};
