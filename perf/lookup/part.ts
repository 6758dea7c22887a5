import type { Report, ScenarioOptions } from '../bench/scenario.js';

/** What `lookup` gives as `ratios`, in this order, and what is held; see docs/reference/benchmarks.md. */
export const RATIOS = {
  getP50Us10k: '<= 2',
  getP99Us10k: '<= 20',
  getP50Us1m: '<= 2',
  getP99Us1m: '<= 20',
  stateWriteP50Ms: '<= 1',
  stateWriteP99Ms: '<= 10',
  rebuildSeconds1m: '< 10',
  // What others need for the same; nothing is held of them.
  natsRequestP50Us: '',
  redisGetP50Us: '',
  sqliteGetP50Us: '',
  natsRequestOverGetP50: '',
  redisGetOverGetP50: '',
  sqliteGetOverGetP50: '',
} as const;

export type RatioName = keyof typeof RATIOS;
/** What was measured of it. */
export type Ratios = Readonly<Partial<Record<RatioName, number>>>;

/** One of the things that `lookup` measures. `data` goes into the report under its name. */
export interface LookupPart {
  readonly name: string;
  readonly run: (options: ScenarioOptions) => Promise<Report & { readonly ratios: Ratios }>;
}
