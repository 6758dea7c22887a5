import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Appended, Draft, Settle } from '../append/draft.js';
import type { NextEpoch } from '../epochs/epoch-source.js';

/** The start of the wait of a record without a caller: it is never given up. */
export const FOR_EVER = Number.POSITIVE_INFINITY;

/** The fault that says that it cannot be known whether a record is in the log. */
export const uncertain = (what: string, reason: Fault): Appended =>
  E.left(fault('LOG_UNCERTAIN', `${what}: ${reason.message}`));

/** A record that has no appender: it waits for the next epoch. */
export interface WaitingRecord {
  readonly draft: Draft;
  /** Since when it has been in trouble: the first break that it met. */
  readonly since: number;
  /** Number under the epoch that broke; null when it was never sent. */
  readonly n: number | null;
  /** Its place among all that were accepted. */
  readonly order: number;
  readonly settle: Settle;
}

/**
 * What was sent under the old epoch and is stored gets its receipt; the rest is returned, to be sent again, but for a
 * record that later ones have overtaken: it would stand behind them (I2), so the caller must send it again. Of what
 * an earlier process has accepted there is no caller: late is better than lost. `last`: the highest number that is
 * known to be stored; `reason`: why the old epoch broke, in this process.
 */
export const settleFound = (
  all: readonly WaitingRecord[],
  { find }: NextEpoch,
  last: number,
  reason?: Fault,
): WaitingRecord[] => {
  const found = all.map(({ n, draft }) => (n === null ? undefined : find(n, draft)));
  const lastStored = all.reduce(
    (highest, { n }, index) => (found[index] === undefined ? highest : Math.max(highest, n as number)),
    last,
  );
  const rest: WaitingRecord[] = [];
  for (const [index, waiting] of all.entries()) {
    const { n, since, settle } = waiting;
    const seq = found[index];
    const hasCaller = since !== FOR_EVER;
    if (n === null) rest.push(waiting);
    else if (seq !== undefined) settle(E.right({ seq, n }));
    else if (n < lastStored && hasCaller && reason !== undefined) settle(E.left(reason));
    else rest.push({ ...waiting, n: null });
  }
  return rest;
};

/** Tells callers who have waited since before that time; returns the rest. */
export const giveUp = (all: readonly WaitingRecord[], reason: Fault, before: number): WaitingRecord[] => {
  const rest: WaitingRecord[] = [];
  for (const waiting of all) {
    if (waiting.since > before) rest.push(waiting);
    else if (waiting.n === null) waiting.settle(E.left(reason));
    else waiting.settle(uncertain('the record was sent and the log has not answered since', reason));
  }
  return rest;
};
