import type { NatsConnection } from 'nats';
import { pause } from '../../system/async/pause.js';
import { percentile } from '../bench/percentiles.js';

/** One call is sent so often, milliseconds, whether the call before has a reply or not. */
const EACH_MS = 20;
const TIMEOUT_MS = 5_000;
/** So many calls one after the other are as fast as without a flood: it is over. */
const IN_A_ROW = 50;
/** A flood that is felt for longer is felt for ever. */
export const LONGEST_MS = 30_000;

export interface CanarySamples {
  readonly ms: number[];
  /** Calls without a result; each counts as long as it waited. */
  failed: number;
}

export interface CanaryFigures {
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const noSamples = (): CanarySamples => ({ ms: [], failed: 0 });

export const figuresOf = ({ ms, failed }: CanarySamples): CanaryFigures => {
  const sorted = Float64Array.from(ms).sort();
  return {
    calls: sorted.length,
    failed,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
};

interface Called {
  readonly sentAt: number;
  readonly ms: number;
  readonly isOk: boolean;
}

const call = async (nc: NatsConnection): Promise<Called> => {
  const sentAt = performance.now();
  const isOk = await nc.request('call.accounts.deposit.canary', '{"amount":1}', { timeout: TIMEOUT_MS }).then(
    (reply) => reply.json<{ readonly status: string }>().status === 'ok',
    () => false,
  );
  return { sentAt, ms: performance.now() - sentAt, isOk };
};

/** Makes calls at a low, fixed rate. */
export const observe = async (nc: NatsConnection, calls: number, samples: CanarySamples): Promise<void> => {
  const begun = performance.now();
  const all: Promise<void>[] = [];
  for (let i = 0; i < calls; i++) {
    all.push(
      call(nc).then(({ ms, isOk }) => {
        samples.ms.push(ms);
        if (!isOk) samples.failed += 1;
      }),
    );
    await pause(Math.max(0, begun + (i + 1) * EACH_MS - performance.now()));
  }
  await Promise.all(all);
};

/**
 * Makes calls until a second of them takes no longer than `normalMs`, all but one. Returns the time until the first
 * of these was sent; undefined after {@link LONGEST_MS}.
 */
export const timeUntilNormal = async (nc: NatsConnection, normalMs: number): Promise<number | undefined> => {
  const begun = performance.now();
  const row: Promise<Called>[] = [];
  for (let i = 0; performance.now() - begun < LONGEST_MS; i++) {
    row.push(call(nc));
    await pause(Math.max(0, begun + (i + 1) * EACH_MS - performance.now()));
    if (row.length < IN_A_ROW) continue;
    const latest = await Promise.all(row);
    const slow = latest.filter(({ ms, isOk }) => !isOk || ms > normalMs);
    if (slow.length <= 1) return (latest[0] as Called).sentAt - begun;
    // From behind the first slow one on, the row may still become a fast one.
    row.splice(0, latest.indexOf(slow[0] as Called) + 1);
  }
  return undefined;
};
