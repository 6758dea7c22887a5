import type { NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { HEADER } from '../../schemas/headers.js';
import { commandConsumer, LOG } from '../../schemas/log.js';
import { DeliveryTimes } from './delivery.js';
import { KINDS, now, type Sample } from './setting.js';

/** Sees what is delivered, from outside. */
export interface Watch {
  /** Acknowledged records that are delivered; `lastSeq`: of the last that is acknowledged. */
  readonly delivered: (acked: number, lastSeq: number) => number;
  /** Rises with each delivery, and with nothing else. */
  readonly progress: () => number;
  readonly follow: (samples: readonly Sample[]) => void;
  readonly close: () => Promise<void>;
}

export type OnDelivered = (dueAt: number, latencyMs: number) => void;

const POLL_MS = 5;

/**
 * An event is delivered when the state that it leads to is in the snapshots, where a death of the module loses it no
 * more. Looked at by memory map: it costs those who are watched nothing.
 */
export const watchEvents = (dataDir: string, onDelivered: OnDelivered): Watch => {
  const agents = new ModuleAgents(KINDS.events.module, dataDir);
  const delivery = new DeliveryTimes(onDelivered);
  const look = (): void => {
    try {
      delivery.reached(agents.position?.seq ?? 0);
    } catch {
      // While a module starts over there may be no snapshots to look at.
    }
  };
  const timer = setInterval(look, POLL_MS);
  return {
    delivered: (acked, lastSeq) => Math.max(0, acked - Math.max(0, lastSeq - delivery.seq)),
    progress: () => delivery.seq,
    follow: (samples) => delivery.follow(samples),
    close: async () => {
      clearInterval(timer);
      await agents.close();
    },
  };
};

const LAG_POLL_MS = 100;
/** Results of the last seconds, whose commands' samples may be on their way. */
const MAX_REMEMBERED = 100_000;

/** A command is delivered when its result is in the log, as the server itself tells of it. */
export const watchCalls = (nc: NatsConnection, onDelivered: OnDelivered): Watch => {
  const { module, name } = KINDS.calls;
  const waiting = new Map<number, number>();
  const answered = new Map<number, number>();
  let heard = 0;
  const results = nc.subscribe(`live.res.${module}.${name}.*`, {
    callback: (error, msg) => {
      if (error !== null) return;
      heard += 1;
      const cause = Number(msg.headers?.get(HEADER.cause));
      const dueAt = waiting.get(cause);
      if (dueAt !== undefined) {
        waiting.delete(cause);
        onDelivered(dueAt, now() - dueAt);
        return;
      }
      answered.set(cause, now());
      if (answered.size > MAX_REMEMBERED) answered.delete(answered.keys().next().value as number);
    },
  });
  let lag = 0;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      const subject = `$JS.API.CONSUMER.INFO.${LOG}.${commandConsumer(module)}`;
      const info = (await linkedRequest(nc, subject, '', { timeout: 2_000 })).json<{
        num_pending?: number;
        num_ack_pending?: number;
      }>();
      lag = (info.num_pending ?? 0) + (info.num_ack_pending ?? 0);
    } catch {
      // A server that is away for the moment: what was known last stands.
    } finally {
      isAsking = false;
    }
  };
  const timer = setInterval(() => void ask(), LAG_POLL_MS);
  return {
    delivered: (acked) => Math.max(0, acked - lag),
    progress: () => heard,
    follow: (samples) => {
      for (const [seq, dueAt] of samples) {
        const at = answered.get(seq);
        if (at === undefined) waiting.set(seq, dueAt);
        else onDelivered(dueAt, at - dueAt);
      }
    },
    close: async () => {
      clearInterval(timer);
      results.unsubscribe();
    },
  };
};
