import { errors, type Msg, type NatsConnection, type Payload, type RequestOptions } from 'nats';
import { linkState } from './link-state.js';

/**
 * Work that needs a reply, and fails as soon as the connection is lost, on this side or the other. The client's own
 * requests wait for their whole timeout, although the server that would pass the reply on is gone.
 */
export const whileLinked = async <T>(nc: NatsConnection, work: () => Promise<T>): Promise<T> => {
  const link = linkState(nc);
  if (!link.isUp) throw new errors.ConnectionError('the connection to the server is lost');
  let forget: () => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    forget = link.onRepliesLost((why) => reject(new errors.ConnectionError(why)));
  });
  const answer = work();
  // The second of the two has no listener any more.
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, lost]);
  } finally {
    forget();
  }
};

/** A request that fails as soon as the connection is lost. */
export const linkedRequest = (
  nc: NatsConnection,
  subject: string,
  payload: Payload,
  options: RequestOptions,
): Promise<Msg> => whileLinked(nc, () => nc.request(subject, payload, options));
