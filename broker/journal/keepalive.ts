import type { NatsConnection } from 'nats';
import { linkState } from './link-state.js';

/** Says how long a connection may be silent, milliseconds; for tests, and for networks that are known to be slower. */
export const SILENCE_VARIABLE = 'TALLYSTICK_SILENCE_MS';

const DEFAULT_SILENCE_MS = 15_000;
/** Pings that stay without an answer before the connection is given up. */
const MAX_SILENT = 3;

const silenceFromEnvironment = (): number => {
  const ms = Number(process.env[SILENCE_VARIABLE]);
  return Number.isFinite(ms) && ms > 0 ? ms : DEFAULT_SILENCE_MS;
};

/** What of the client library's inside is relied on; where it is built otherwise, its own way is taken. */
interface Inside {
  readonly protocol?: { readonly transport?: { readonly socket?: { readonly destroy?: () => void } } };
}

/**
 * The client's own way to give a connection up first waits until all that it wrote has left, and over a connection that
 * takes nothing any more that is until the system gives up, after a quarter of an hour.
 */
const giveUp = (nc: NatsConnection): void => {
  const socket = (nc as Inside).protocol?.transport?.socket;
  if (socket?.destroy !== undefined) socket.destroy();
  else nc.reconnect().catch(() => undefined);
};

const watched = new WeakSet<NatsConnection>();

/**
 * Gives a connection up, so that the client dials anew, over which nothing has come for a while although something was
 * asked: the other end is gone and nobody said so (a plug that was pulled, a firewall that forgot). The client's own pings
 * notice that after 6 minutes. Whatever arrives counts as life, since over a slow line the answer to a ping waits behind
 * megabytes of records. Ticks are counted, not time: a process that was stopped has heard nothing because it did not listen.
 */
export const keepAlive = (nc: NatsConnection, silenceMs = silenceFromEnvironment()): void => {
  if (watched.has(nc)) return;
  watched.add(nc);
  const link = linkState(nc);
  let silent = 0;
  let messages = nc.stats().inMsgs;
  const heard = (): void => {
    silent = 0;
  };
  const timer = setInterval(() => {
    if (nc.isClosed()) return clearInterval(timer);
    const { inMsgs } = nc.stats();
    if (!link.isUp || inMsgs !== messages) heard();
    messages = inMsgs;
    if (!link.isUp) return;
    if (silent >= MAX_SILENT) {
      heard();
      return giveUp(nc);
    }
    silent += 1;
    nc.flush().then(heard, () => undefined);
  }, silenceMs / MAX_SILENT);
  timer.unref();
};
