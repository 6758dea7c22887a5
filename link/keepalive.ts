import type { NatsConnection } from 'nats';
import { socketOf } from './client-insides.js';
import { linkState } from './link-state.js';

/** Says how long a connection may be silent, milliseconds; for tests, and for networks that are known to be slower. */
export const SILENCE_VARIABLE = 'TALLYSTICK_SILENCE_MS';

const DEFAULT_SILENCE_MS = 15_000;
/** Pings in a row that may stay without an answer when nothing else comes either. */
const MAX_SILENT = 3;
/** The same when something comes. */
const MAX_UNANSWERED = 2 * MAX_SILENT;

const silenceFromEnvironment = (): number => {
  const ms = Number(process.env[SILENCE_VARIABLE]);
  return Number.isFinite(ms) && ms > 0 ? ms : DEFAULT_SILENCE_MS;
};

/**
 * The client's own way to give a connection up first waits until all that it wrote has left, and over a connection that
 * takes nothing any more that is until the system gives up, after a quarter of an hour.
 */
const giveUp = (nc: NatsConnection): void => {
  const socket = socketOf(nc);
  if (socket !== undefined) socket.destroy();
  else nc.reconnect().catch(() => undefined);
};

const watched = new WeakSet<NatsConnection>();

/**
 * Gives a connection up, so that the client dials anew, over which nothing has come for a while although something was
 * asked: the other end is gone and nobody said so (a plug that was pulled, a firewall that forgot). The client's own pings
 * notice that after 6 minutes. Where records come and the answers do not, either the line is slow, and an answer waits
 * behind megabytes, or nothing that is sent arrives any more: then it is given twice the time. Rounds are counted, not
 * time: a process that was stopped has heard nothing because it did not listen.
 */
export const keepAlive = (nc: NatsConnection, silenceMs = silenceFromEnvironment()): void => {
  if (watched.has(nc)) return;
  watched.add(nc);
  const link = linkState(nc);
  let silent = 0;
  let unanswered = 0;
  let messages = nc.stats().inMsgs;
  const answered = (): void => {
    silent = 0;
    unanswered = 0;
  };
  const timer = setInterval(() => {
    if (nc.isClosed()) return clearInterval(timer);
    const { inMsgs } = nc.stats();
    if (inMsgs !== messages) silent = 0;
    messages = inMsgs;
    if (!link.isUp) return answered();
    if (silent >= MAX_SILENT || unanswered >= MAX_UNANSWERED) {
      answered();
      return giveUp(nc);
    }
    silent += 1;
    unanswered += 1;
    nc.flush().then(answered, () => undefined);
  }, silenceMs / MAX_SILENT);
  timer.unref();
};
