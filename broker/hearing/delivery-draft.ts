import type { Draft } from '../../journal/append/draft.js';
import { deliveredPayload, hearingAgent } from '../../schemas/delivered-event.js';
import { HEADER } from '../../schemas/headers.js';
import { type EventDelivery, EVENTS_SENDER, formatDelivery } from '../../schemas/heard-events.js';
import type { HeardStretch } from '../../schemas/hearing-record.js';
import { MAX_PAYLOAD_BYTES } from '../../schemas/log.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import { storedCommandSubject } from '../../schemas/subjects.js';

/** Carried from an event to the command that brings it. */
const INHERITED = [HEADER.trace, HEADER.traceState] as const;

/** The command that brings an event to a module. `takesAgent`: whether its action is for one agent. */
export const deliveryDraft = (
  listener: string,
  message: StoredMessage,
  stretch: HeardStretch,
  takesAgent: boolean,
  place: Omit<EventDelivery, 'event'>,
  /** Deliveries in its chain; undefined: it is in no circle. */
  chain?: number,
): Draft => {
  const agent = takesAgent ? hearingAgent(message, stretch) : undefined;
  const address = { module: listener, name: stretch.action, ...(agent === undefined ? {} : { agent }) };
  const headers: Record<string, string> = {
    [HEADER.event]: formatDelivery({ event: message.seq, ...place }),
    [HEADER.conversation]: String(conversationOf(message)),
  };
  if (chain !== undefined) headers[HEADER.chain] = String(chain);
  for (const name of INHERITED) {
    const value = message.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return {
    subject: storedCommandSubject(address, EVENTS_SENDER),
    data: deliveredPayload(message, MAX_PAYLOAD_BYTES),
    headers,
  };
};
