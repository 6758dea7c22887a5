import type { Draft } from '../../journal/append/draft.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { wakeSubject } from '../../schemas/subjects.js';
import type { Wake } from '../../schemas/wake.js';
import type { OpenCommand } from '../index/open-commands.js';
import type { OpenWait } from '../index/open-waits.js';

/** The record that ends a wait; undefined: its command is answered meanwhile. */
export const wakeDraft = (
  command: OpenCommand | undefined,
  { cause, call }: OpenWait,
  wake: Wake,
): Draft | undefined => {
  if (command === undefined) return undefined;
  const { module, name, agent, conversation } = command;
  return {
    subject: wakeSubject({ module, name, ...(agent === undefined ? {} : { agent }) }),
    data: encodeJson(wake),
    headers: {
      [HEADER.cause]: String(cause),
      [HEADER.call]: String(call),
      [HEADER.conversation]: String(conversation),
      // By this wake the handler meets the cancel of its command.
      ...(wake.status === 'failed' && wake.error.code === 'CANCELLED'
        ? { [HEADER.cancelled]: String(command.cancel) }
        : {}),
    },
  };
};
