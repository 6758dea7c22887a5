import { isClientError } from './client-error.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../schemas/errors.js';
import { refusedByServer } from './refused-by-server.js';

/**
 * The fault for a request that had no effect. The client of NATS threw before it sent anything: PAYLOAD_TOO_LARGE,
 * LOG_UNAVAILABLE, HEADER_INVALID. Or the server refused its subject: NOT_ALLOWED. Undefined if it may have had one.
 * Source: nats-core 3.4, `publish` and `request`.
 */
export const neverSent = (thrown: unknown, nc: NatsConnection): Fault | undefined => {
  if (isClientError(thrown, 'ClosedConnectionError', 'DrainingConnectionError'))
    return fault('LOG_UNAVAILABLE', 'the connection is closed, so nothing was sent; open another connection');
  if (isClientError(thrown, 'InvalidArgumentError') && thrown.message.includes('max_payload'))
    return fault('PAYLOAD_TOO_LARGE', 'the payload is larger than the server allows, so nothing was sent');
  if (isClientError(thrown, 'InvalidArgumentError', 'InvalidSubjectError'))
    return fault('HEADER_INVALID', `nothing was sent: ${thrown.message}`);
  return refusedByServer(thrown, nc);
};
