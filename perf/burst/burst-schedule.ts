/** The three parts of a burst test. */
export const PHASES = ['baseline', 'burst', 'after'] as const;
export type PhaseName = (typeof PHASES)[number];

/** A load that follows the clock alone: a slow system meets all of it later. */
export interface Rates {
  /** Records a second before and after the burst. */
  readonly baseline: number;
  /** Records a second during the burst. */
  readonly rate: number;
  /** Of the burst. */
  readonly seconds: number;
  /** Of the baseline before it, and again behind it. */
  readonly baselineSeconds: number;
}

interface Phase {
  readonly name: PhaseName;
  readonly fromMs: number;
  readonly toMs: number;
  readonly perMs: number;
  /** Records that are due before it. */
  readonly before: number;
}

/** When each record is due: milliseconds since the load began, records counted from 0. */
export class BurstSchedule {
  readonly #phases: readonly Phase[];
  /** All records of it. */
  readonly total: number;
  readonly endMs: number;
  readonly burstFromMs: number;
  readonly burstToMs: number;

  /** `share`: the part that one of several producers sends. */
  constructor({ baseline, rate, seconds, baselineSeconds }: Rates, share = 1) {
    const phases: Phase[] = [];
    let [fromMs, before] = [0, 0];
    for (const [name, perSecond, lastsSeconds] of [
      ['baseline', baseline, baselineSeconds],
      ['burst', rate, seconds],
      ['after', baseline, baselineSeconds],
    ] as const) {
      const toMs = fromMs + lastsSeconds * 1_000;
      const perMs = (perSecond * share) / 1_000;
      phases.push({ name, fromMs, toMs, perMs, before });
      before += Math.floor((toMs - fromMs) * perMs);
      fromMs = toMs;
    }
    this.#phases = phases;
    this.total = before;
    this.endMs = fromMs;
    this.burstFromMs = baselineSeconds * 1_000;
    this.burstToMs = this.burstFromMs + seconds * 1_000;
  }

  /** How many are due by then. */
  due(elapsedMs: number): number {
    if (elapsedMs >= this.endMs) return this.total;
    const phase = this.#phases.find(({ toMs }) => elapsedMs < toMs);
    if (phase === undefined || elapsedMs < 0) return 0;
    return phase.before + Math.floor((elapsedMs - phase.fromMs) * phase.perMs);
  }

  /** When a record is due. */
  dueMs(index: number): number {
    const { fromMs, before, perMs } = this.#phaseOf(index);
    // So many are due as have had their time: the first at the end of its part of a second.
    return fromMs + (index - before + 1) / perMs;
  }

  phaseOf(index: number): PhaseName {
    return this.#phaseOf(index).name;
  }

  #phaseOf(index: number): Phase {
    const [baseline, burst, after] = this.#phases as readonly [Phase, Phase, Phase];
    if (index >= after.before) return after;
    return index >= burst.before ? burst : baseline;
  }
}
