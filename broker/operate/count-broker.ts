import type { BrokerCounters, ServerTraffic, TracesCount } from '../../schemas/broker-counters.js';
import { LATE_MS } from '../schedules/due.js';

/** Where the counts come from. */
export interface CountSources {
  readonly refused: { readonly all: BrokerCounters['refused'] };
  readonly dead: { readonly counts: BrokerCounters['dead'] };
  readonly producer: {
    readonly pending: number;
    readonly inFlight: number;
    readonly groups: { readonly groups: number; readonly records: number };
    readonly fence: number;
    readonly taken: { readonly takenBytes: number; readonly settledBytes: number };
  };
  readonly index: { readonly position: number };
  readonly plan: { readonly due: (nowMs: number) => readonly unknown[] };
  readonly traffic: () => Promise<ServerTraffic>;
  /** The sequence of the last record of the log. */
  readonly lastSeq: Promise<number>;
  readonly traces: { readonly count: (lastSeq: number) => TracesCount | null };
}

/** What the broker has counted; a server that does not tell leaves a part out. */
export const countBroker = async (sources: CountSources): Promise<BrokerCounters> => {
  const { refused, dead, producer, index, plan, traffic, lastSeq, traces } = sources;
  const [network, end] = await Promise.all([traffic().catch(() => null), lastSeq]);
  const { takenBytes, settledBytes } = producer.taken;
  return {
    refused: refused.all,
    dead: dead.counts,
    journal: {
      pending: producer.pending,
      inFlight: producer.inFlight,
      bytes: Math.max(0, Math.round(takenBytes - settledBytes)),
      fence: producer.fence,
      groups: producer.groups.groups,
      grouped: producer.groups.records,
    },
    indexLag: Math.max(0, end - index.position),
    schedulesLate: plan.due(Date.now() - LATE_MS).length,
    network,
    traces: traces.count(end),
  };
};
