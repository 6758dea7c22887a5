import type { Histogram } from 'hdr-histogram-js';
import type { NatsConnection } from 'nats';
import { pause } from '../../system/async/pause.js';
import { newHistogram } from '../bench/histogram.js';

/** A part of the run: what was called in it, by the time at which each call was due. */
export interface CallWindow {
  sent: number;
  /** Calls with another reply than a result, or with none. */
  failed: number;
  /** From the time at which a call was due to its reply, nanoseconds: a late call is a slow one. */
  readonly times: Histogram;
}

export interface PacedCalls {
  readonly perSecond: number;
  readonly seconds: number;
  readonly windows: number;
  readonly agents: number;
  /** Is told of the first failures. */
  readonly onFailure: (text: string) => void;
}

const TICK_MS = 2;
const TIMEOUT_MS = 30_000;
const TOLD = 10;
const NS_OF_MS = 1_000_000;

const deposit = async (nc: NatsConnection, agent: number): Promise<string | undefined> => {
  try {
    const reply = await nc.request(`call.accounts.deposit.a${agent}`, '{"amount":1}', {
      timeout: TIMEOUT_MS,
    });
    const { status } = reply.json<{ readonly status: string }>();
    return status === 'ok' ? undefined : reply.string();
  } catch (error) {
    return (error as Error).message;
  }
};

/** Calls at a fixed rate, whether the calls before have their replies or not. */
export const callAtRate = async (
  nc: NatsConnection,
  { perSecond, seconds, windows, agents, onFailure }: PacedCalls,
): Promise<readonly CallWindow[]> => {
  const all: readonly CallWindow[] = Array.from({ length: windows }, () => ({
    sent: 0,
    failed: 0,
    times: newHistogram(),
  }));
  const open = new Set<Promise<void>>();
  const begun = performance.now();
  const calls = Math.round(perSecond * seconds);
  let told = 0;
  const call = async (i: number): Promise<void> => {
    const window = all[Math.min(windows - 1, Math.floor((i * windows) / calls))] as CallWindow;
    window.sent += 1;
    const failure = await deposit(nc, i % agents);
    window.times.recordValue(
      Math.max(1, Math.round((performance.now() - begun - (i * 1_000) / perSecond) * NS_OF_MS)),
    );
    if (failure === undefined) return;
    window.failed += 1;
    if (++told <= TOLD) onFailure(failure);
  };
  for (let sent = 0; sent < calls; ) {
    const due = Math.min(calls, 1 + Math.floor(((performance.now() - begun) * perSecond) / 1_000));
    for (; sent < due; sent++) {
      const called = call(sent);
      open.add(called);
      void called.then(() => open.delete(called));
    }
    await pause(TICK_MS);
  }
  await Promise.all(open);
  return all;
};
