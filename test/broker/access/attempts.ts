import { connect, errors, headers as makeHeaders, type NatsConnection, nkeyAuthenticator } from 'nats';

/** How a request that may be an attack ended. */
export type Ending =
  /** The server refused it to this credential. */
  | 'forbidden'
  /** It reaches nobody. */
  | 'nobody'
  /** Whoever serves it said no. */
  | 'error'
  | 'silence'
  | 'served';

const SILENCE_MS = 1_500;

const endingOf = (thrown: unknown): Ending => {
  const cause = thrown instanceof errors.RequestError ? (thrown.cause ?? thrown) : thrown;
  if (cause instanceof errors.PermissionViolationError) return 'forbidden';
  if (cause instanceof errors.NoRespondersError) return 'nobody';
  if (thrown instanceof errors.RequestError && thrown.isNoResponders()) return 'nobody';
  if (thrown instanceof errors.TimeoutError || cause instanceof errors.TimeoutError) return 'silence';
  throw thrown;
};

export const attempt = async (
  nc: NatsConnection,
  subject: string,
  body: unknown = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<Ending> => {
  const data = typeof body === 'string' ? body : JSON.stringify(body);
  const hdrs = makeHeaders();
  for (const [key, value] of Object.entries(headers)) hdrs.set(key, value);
  try {
    const reply = await nc.request(subject, data, { timeout: SILENCE_MS, headers: hdrs });
    return (reply.json() as { error?: unknown }).error === undefined ? 'served' : 'error';
  } catch (thrown) {
    return endingOf(thrown);
  }
};

/** Sends with a reply subject of the attacker's choice: where the server's answer would go. */
export const redirect = async (
  nc: NatsConnection,
  subject: string,
  reply: string,
  body: unknown = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const hdrs = makeHeaders();
  for (const [key, value] of Object.entries(headers)) hdrs.set(key, value);
  const data = typeof body === 'string' ? body : JSON.stringify(body);
  nc.publish(subject, data, { reply, headers: hdrs });
  await nc.flush();
};

/** Whether the server lets this connection subscribe. */
export const maySubscribe = async (nc: NatsConnection, subject: string): Promise<boolean> => {
  const subscription = nc.subscribe(subject);
  const refused = subscription.closed.then(
    (error) => error instanceof Error,
    () => true,
  );
  await nc.flush();
  const answer = await Promise.race([refused, nc.flush().then(() => nc.flush().then(() => false))]);
  subscription.unsubscribe();
  return !answer;
};

export const connectWith = (url: string, seed: string): Promise<NatsConnection> =>
  connect({
    servers: url,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
    reconnect: false,
  });
