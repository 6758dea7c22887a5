import Type, { type Static } from 'typebox';
import { DURABILITIES } from './log.js';

/** The burst-loss test, as the command line prints it and HTTP starts it. */

/** How the load stood at one moment; counts since its begin. */
export interface LoadMoment {
  /** Milliseconds since the load began. */
  readonly atMs: number;
  readonly offered: number;
  readonly acked: number;
  readonly delivered: number;
  /** Due and not delivered. */
  readonly backlog: number;
  /** From due to acknowledged, of what was acknowledged since the moment before, milliseconds; null of none. */
  readonly p99Ms: number | null;
}

/** A kill that was done. */
export interface DoneFault {
  /** Seconds since the burst began. */
  readonly at: number;
  readonly what: string;
  /** Milliseconds until the stopped process worked again; null: it did not, until the end. */
  readonly downMs: number | null;
}

/** A line of `burst --moments`. */
export type BurstNews =
  | { readonly stage: string }
  | { readonly fault: string }
  | { readonly moment: LoadMoment; readonly part: string };

const within = (maximum: number, description: string) => Type.Integer({ minimum: 1, maximum, description });

/** What `POST /v1/bursts` takes. The limits are those of a machine that others use too. */
export const BurstRequestSchema = Type.Object(
  {
    kind: Type.Enum(['events', 'calls'], {
      description: 'Events that a module folds, or commands that it handles.',
    }),
    rate: within(50_000, 'Records a second during the burst.'),
    seconds: within(60, 'Length of the burst.'),
    baseline: within(10_000, 'Records a second before and after it.'),
    baselineSeconds: within(20, 'Length of each phase before and after it.'),
    durability: Type.Enum([...DURABILITIES], { description: 'As of `start`.' }),
    kill: Type.Optional(
      Type.String({
        maxLength: 200,
        pattern: '^[a-z]+@[0-9.]+(,[a-z]+@[0-9.]+)*$',
        description: 'What is killed at which second of the burst: `module@3,server@6,broker@8,producer@9`.',
      }),
    ),
  },
  { additionalProperties: false, description: 'A burst.' },
);
export type BurstRequest = Readonly<Static<typeof BurstRequestSchema>>;

/** What a burst came to, as far as a page shows it; `burst --json` has more. */
export interface BurstReport {
  readonly ok: boolean;
  readonly offered: number;
  readonly acked: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly unanswered: number;
  /** Records acknowledged a second, during the burst. */
  readonly achievedRate: number;
  /** From the burst's end until all that had come due was delivered; null: not within what was waited. */
  readonly recoverySeconds: number | null;
  readonly faults: readonly DoneFault[];
  /** Why it is not ok, in words; empty when it is. */
  readonly reasons: readonly string[];
}

/** How far a burst over HTTP is; `Problem` says why it failed. */
export interface BurstJob<Problem> {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly request: BurstRequest;
  readonly stage: string;
  readonly moments: readonly LoadMoment[];
  readonly faults: readonly string[];
  readonly report: BurstReport | null;
  /** SVG. */
  readonly picture: string | null;
  readonly problem: Problem | null;
}
