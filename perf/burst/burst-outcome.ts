import type { Verification } from '../../schemas/verification.js';
import type { ProcessRole } from './processes.js';
import type { BurstReport, LoadMoment } from '../../schemas/burst.js';

/** Milliseconds; null where no record was measured. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What a burst test came to; see docs/guides/burst.md. */
export interface BurstOutcome extends BurstReport {
  /** Other findings of the verification: states, copies, identities. */
  readonly otherFindings: number;
  /** Not acknowledged: refused, unknown to the journal, or not sent because its producer was dead. */
  readonly notAcked: { readonly refused: number; readonly unknown: number; readonly notSent: number };
  readonly offeredRate: number;
  /** Most records that were due and not acknowledged, and how late the latest was acknowledged. */
  readonly behind: { readonly records: number; readonly seconds: number };
  /** From when a record was due until it was acknowledged. */
  readonly latencyMs: Readonly<Record<'baseline' | 'burst' | 'after', Quantiles>>;
  /** From when a record was due until it was delivered; of a sample. */
  readonly deliveryMs: Readonly<Record<'baseline' | 'burst' | 'after', Quantiles>>;
  /** Processor time of all its processes, microseconds for each acknowledged record. */
  readonly cpuUsPerRecord: Readonly<Record<ProcessRole, number>>;
  readonly durability: string;
  readonly kind: 'events' | 'calls';
  readonly producers: number;
  readonly agents: number;
  readonly size: number;
}

/** All of a run: what is told, and what the picture is drawn from. */
export interface BurstRun {
  readonly outcome: BurstOutcome;
  readonly moments: readonly LoadMoment[];
  readonly verification: Verification;
  /** Seconds of burst, and of the baseline before it. */
  readonly seconds: number;
  readonly baselineSeconds: number;
}
