import type { NatsConnection } from 'nats';
import { LOG } from '../../schemas/log.js';

/** The last sequence of the log; 0 of an empty one. */
export const logEnd = async (nc: NatsConnection): Promise<number> => {
  const reply = await nc.request(`$JS.API.STREAM.INFO.${LOG}`, '', { timeout: 10_000 });
  return reply.json<{ state: { last_seq: number } }>().state.last_seq;
};
