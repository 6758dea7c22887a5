import { Latencies } from './latencies.js';
import type { Quantiles } from './burst-outcome.js';
import { PHASES, type PhaseName, type BurstSchedule } from './burst-schedule.js';
import { now, type ProducerNews } from './setting.js';
import type { LoadMoment } from '../../schemas/burst.js';

type PerPhase<T> = Readonly<Record<PhaseName, T>>;

const perPhase = <T>(of: (phase: PhaseName) => T): PerPhase<T> => ({
  baseline: of('baseline'),
  burst: of('burst'),
  after: of('after'),
});

export const round = (value: number): number => Math.round(value * 100) / 100;

const roundIfAny = (value: number | null): number | null => (value === null ? null : round(value));

const quantiles = (latencies: Latencies): Quantiles => ({
  p50: roundIfAny(latencies.quantile(0.5)),
  p99: roundIfAny(latencies.quantile(0.99)),
  max: roundIfAny(latencies.max),
});

/** What is seen of a load while it runs. What it came to is for the log to say. */
export class Measurements {
  readonly totals = { sent: 0, acked: 0, refused: 0, unknown: 0 };
  readonly moments: LoadMoment[] = [];
  readonly #acknowledged = perPhase(() => new Latencies());
  readonly #delivered = perPhase(() => new Latencies());
  #interval = new Latencies();
  #lastSeq = 0;
  #beginAt = 0;
  #recoveredMs: number | undefined;

  constructor(private readonly schedule: BurstSchedule) {}

  /** The load begins at that time, milliseconds since 1970. */
  begin(at: number): void {
    this.#beginAt = at;
  }

  /** Milliseconds since the load began. */
  get elapsedMs(): number {
    return now() - this.#beginAt;
  }

  /** Of the last record that is known to be acknowledged. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  news({ sent, acked, refused, unknown, lastSeq, latencies }: ProducerNews): void {
    const { totals } = this;
    totals.sent += sent;
    totals.acked += acked;
    totals.refused += refused;
    totals.unknown += unknown;
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
    for (const phase of PHASES) {
      const counts = latencies[phase];
      if (counts === undefined) continue;
      this.#acknowledged[phase].merge(counts);
      this.#interval.merge(counts);
    }
  }

  delivered(dueAt: number, latencyMs: number): void {
    const elapsed = dueAt - this.#beginAt;
    const { burstFromMs, burstToMs } = this.schedule;
    const phase = elapsed < burstFromMs ? 'baseline' : elapsed < burstToMs ? 'burst' : 'after';
    this.#delivered[phase].add(latencyMs);
  }

  /**
   * How it stands now. `delivered`: of what is acknowledged; `isOver`: all that came due is settled, and what is
   * neither acknowledged by now was not sent. `enough`: a backlog below it is none.
   */
  moment(atMs: number, delivered: number, isOver: boolean, enough: number): LoadMoment {
    const { schedule, totals } = this;
    const offered = schedule.due(atMs);
    // What is acknowledged is known a little later than where delivery stands.
    const most = Math.max(this.moments.at(-1)?.delivered ?? 0, delivered);
    const notSent = isOver ? offered - totals.acked : 0;
    const backlog = Math.max(0, offered - notSent - most);
    const p99Ms = this.#interval.quantile(0.99);
    this.#interval = new Latencies();
    const moment = { atMs, offered, acked: totals.acked, delivered: most, backlog, p99Ms };
    this.moments.push(moment);
    const { burstToMs } = schedule;
    if (atMs >= burstToMs && (most >= schedule.due(burstToMs) - notSent || backlog < enough))
      this.#recoveredMs ??= atMs - burstToMs;
    return moment;
  }

  /** From the burst's end until what had come due was delivered; null: it was not. */
  get recoverySeconds(): number | null {
    return this.#recoveredMs === undefined ? null : round(this.#recoveredMs / 1_000);
  }

  /** Records acknowledged a second, during the burst. */
  get achievedRate(): number {
    const { burstFromMs, burstToMs } = this.schedule;
    const ackedBy = (ms: number): number => this.moments.findLast(({ atMs }) => atMs <= ms)?.acked ?? 0;
    return Math.round(((ackedBy(burstToMs) - ackedBy(burstFromMs)) * 1_000) / (burstToMs - burstFromMs));
  }

  get behind(): { readonly records: number; readonly seconds: number } {
    return {
      records: Math.max(0, ...this.moments.map(({ offered, acked }) => offered - acked)),
      seconds: round(Math.max(...PHASES.map((phase) => this.#acknowledged[phase].max ?? 0)) / 1_000),
    };
  }

  get latencyMs(): PerPhase<Quantiles> {
    return perPhase((phase) => quantiles(this.#acknowledged[phase]));
  }

  get deliveryMs(): PerPhase<Quantiles> {
    return perPhase((phase) => quantiles(this.#delivered[phase]));
  }
}
