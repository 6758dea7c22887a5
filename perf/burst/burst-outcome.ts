import type { Verification } from '../../schemas/verification.js';
import type { ProcessRole } from './processes.js';
import type { DoneFault, LoadMoment } from './timeline.js';

/** Milliseconds; null where no record was measured. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What a burst test came to; see docs/guides/burst.md. */
export interface BurstOutcome {
  readonly ok: boolean;
  readonly offered: number;
  readonly acked: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly unanswered: number;
  /** Other findings of the verification: states, copies, identities. */
  readonly otherFindings: number;
  /** Not acknowledged: refused, unknown to the journal, or not sent because its producer was dead. */
  readonly notAcked: { readonly refused: number; readonly unknown: number; readonly notSent: number };
  /** Records acknowledged a second, during the burst. */
  readonly achievedRate: number;
  readonly offeredRate: number;
  /** From the burst's end until all that had come due was delivered; null: not within what was waited. */
  readonly recoverySeconds: number | null;
  /** Most records that were due and not acknowledged, and how late the latest was acknowledged. */
  readonly behind: { readonly records: number; readonly seconds: number };
  /** From when a record was due until it was acknowledged. */
  readonly latencyMs: Readonly<Record<'baseline' | 'burst' | 'after', Quantiles>>;
  /** From when a record was due until it was delivered; of a sample. */
  readonly deliveryMs: Readonly<Record<'baseline' | 'burst' | 'after', Quantiles>>;
  /** Processor time of all its processes, microseconds for each acknowledged record. */
  readonly cpuUsPerRecord: Readonly<Record<ProcessRole, number>>;
  readonly faults: readonly DoneFault[];
  readonly durability: string;
  readonly kind: 'events' | 'calls';
  readonly producers: number;
  readonly agents: number;
  readonly size: number;
  /** Why it is not ok, in words; empty when it is. */
  readonly reasons: readonly string[];
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
