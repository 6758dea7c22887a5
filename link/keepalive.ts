import type { NatsConnection } from 'nats';
import { everyOnGrid } from '../system/async/grid.js';
import { socketOf } from './client-insides.js';
import { linkState } from './link-state.js';

/** Sets how long a connection may be silent, in milliseconds: for tests, and for slow networks. */
export const SILENCE_VARIABLE = 'TALLYSTICK_SILENCE_MS';

const DEFAULT_SILENCE_MS = 15_000;
/** Pings in a row that may stay without a reply if nothing else arrives. */
const MAX_SILENT = 3;
/** The same if something arrives. */
const MAX_UNANSWERED = 2 * MAX_SILENT;

const silenceFromEnvironment = (): number => {
  const ms = Number(process.env[SILENCE_VARIABLE]);
  return Number.isFinite(ms) && ms > 0 ? ms : DEFAULT_SILENCE_MS;
};

/**
 * The client's own way to give a connection up first waits until everything written has left. On a dead connection,
 * that takes until the system gives up, after a quarter of an hour.
 */
const giveUp = (nc: NatsConnection): void => {
  const socket = socketOf(nc);
  if (socket !== undefined) socket.destroy();
  else nc.reconnect().catch(() => undefined);
};

const watched = new WeakSet<NatsConnection>();

/**
 * Gives a silent connection up, so that the client dials again: a request had no reply, because the other end is gone
 * and did not say so (a pulled plug, a firewall that forgot). The client's own pings notice that after 6 minutes. If
 * records arrive and replies do not, then either the line is slow and a reply waits behind megabytes, or nothing that
 * is sent arrives. Then the limit is twice as long. Rounds are counted, not time: a stopped process has heard nothing
 * because it did not listen.
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
  const stop = everyOnGrid(silenceMs / MAX_SILENT, () => {
    if (nc.isClosed()) return stop();
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
  });
};
