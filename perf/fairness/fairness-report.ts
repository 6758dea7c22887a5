import type { Report } from '../bench/scenario.js';
import { type CanaryFigures, LONGEST_MS } from './canary.js';

/** What one flood did. */
export interface FloodRow {
  readonly name: string;
  readonly idle: CanaryFigures;
  /** While the process of the flooder computes, and sends nothing. */
  readonly neighbour: CanaryFigures;
  readonly flooded: CanaryFigures;
  /** From the end of the flood until calls were as before; null: they were not, for as long as it was looked. */
  readonly normalMs: number | null;
  /** Of the flooder: with a reply, or sent without a wait for one. */
  readonly sentPerSecond: number;
  readonly failed: number;
  /** Processor time, in cores. */
  readonly cores: Readonly<Record<'broker' | 'server' | 'module' | 'flooder', number>>;
}

const twoDigits = (value: number): number => Math.round(value * 100) / 100;

const ratioOf = ({ idle, flooded }: FloodRow): number => twoDigits(flooded.p99Ms / idle.p99Ms);

const overNeighbour = ({ neighbour, flooded }: FloodRow): number =>
  twoDigits(flooded.p99Ms / neighbour.p99Ms);

const secondsOf = (ms: number | null): string =>
  ms === null ? `more than ${LONGEST_MS / 1_000}` : (ms / 1_000).toFixed(1);

export const fairnessReport = (rows: readonly FloodRow[]): Report => ({
  data: {
    fairness: rows,
    ratios: Object.fromEntries(rows.map((row) => [row.name, ratioOf(row)])),
    overNeighbour: Object.fromEntries(rows.map((row) => [row.name, overNeighbour(row)])),
  },
  tables: [
    {
      title: 'calls of a program, one each 20 ms; milliseconds, and seconds until normal',
      heads: [
        'flood',
        'idle p50',
        'p99',
        'neighbour p99',
        'flooded p50',
        'p99',
        'over idle',
        'over neighbour',
        'failed',
        'normal after, s',
      ],
      rows: rows.map((row) => [
        row.name,
        row.idle.p50Ms.toFixed(1),
        row.idle.p99Ms.toFixed(1),
        row.neighbour.p99Ms.toFixed(1),
        row.flooded.p50Ms.toFixed(1),
        row.flooded.p99Ms.toFixed(1),
        ratioOf(row).toFixed(1),
        overNeighbour(row).toFixed(1),
        `${row.flooded.failed} of ${row.flooded.calls}`,
        secondsOf(row.normalMs),
      ]),
    },
    {
      title: 'the floods, and what they cost; processor time in cores',
      heads: ['flood', 'sent a second', 'without a reply', 'broker', 'server', 'module', 'flooder'],
      rows: rows.map(({ name, sentPerSecond, failed, cores }) => [
        name,
        String(sentPerSecond),
        String(failed),
        ...Object.values(cores).map((each) => each.toFixed(2)),
      ]),
    },
  ],
});
