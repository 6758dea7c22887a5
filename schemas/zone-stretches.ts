/** A time span in which a zone's clock has one offset from UTC, in milliseconds. */
export interface Stretch {
  readonly fromMs: number;
  /** The start of the next stretch, at the same offset or another. */
  readonly toMs: number;
  /** The offset of the clock from UTC. */
  readonly offsetMs: number;
}

interface OffsetChange {
  readonly atMs: number;
  readonly offsetMs: number;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** The offset of a zone's clock from UTC at an instant, as Intl has it. */
const offsetReader = (zone: string): ((ms: number) => number) => {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (ms) => {
    // As one text: reading its parts is nine times as slow.
    const [month = 1, day = 1, year = 0, hour = 0, minute = 0, second = 0] = (
      format.format(ms).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
  };
};

/** The most zones whose changes are remembered; beyond it, all are forgotten. */
const MOST_ZONES = 1_000;
const known = new Map<string, Map<number, readonly OffsetChange[]>>();

/**
 * One entry for each zone, however its name is written: senders choose the spelling, and each new one would be read
 * again.
 */
const yearsOf = (zone: string): Map<number, readonly OffsetChange[]> => {
  const name = zone.toLowerCase();
  const years = known.get(name) ?? new Map<number, readonly OffsetChange[]>();
  if (!known.has(name) && known.size >= MOST_ZONES) known.clear();
  known.set(name, years);
  return years;
};

/** The second at which the offset changes between two instants. */
const changeBetween = (offset: (ms: number) => number, fromMs: number, toMs: number): OffsetChange => {
  let [low, high] = [fromMs, toMs];
  const before = offset(low);
  while (high - low > SECOND_MS) {
    const middle = Math.floor((low + high) / 2 / SECOND_MS) * SECOND_MS;
    if (offset(middle) === before) low = middle;
    else high = middle;
  }
  return { atMs: high, offsetMs: offset(high) };
};

/** The offset at the start of a year (UTC), and each change in it. It takes about 1 ms, so it is remembered. */
const changesOf = (zone: string, year: number): readonly OffsetChange[] => {
  const years = yearsOf(zone);
  const remembered = years.get(year);
  if (remembered !== undefined) return remembered;
  const offset = offsetReader(zone);
  const [start, end] = [Date.UTC(year), Date.UTC(year + 1)];
  const changes: OffsetChange[] = [{ atMs: start, offsetMs: offset(start) }];
  // No zone changes its clock twice in one day.
  for (let day = start; day < end; day += DAY_MS) {
    const next = Math.min(day + DAY_MS, end);
    if (offset(next) === offset(day)) continue;
    const change = changeBetween(offset, day, next);
    if (change.atMs < end) changes.push(change);
  }
  years.set(year, changes);
  return changes;
};

/**
 * The stretches of a zone in order, from the one with `fromMs` to the one that ends after `untilMs`. Each ends with
 * its year (UTC) at the latest, so no year is read that is not needed.
 */
export function* stretchesOf(zone: string, fromMs: number, untilMs: number): Generator<Stretch> {
  if (zone === 'UTC') {
    yield { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, offsetMs: 0 };
    return;
  }
  for (let year = new Date(fromMs).getUTCFullYear(); Date.UTC(year) <= untilMs; year++) {
    const changes = changesOf(zone, year);
    for (const [i, { atMs, offsetMs }] of changes.entries()) {
      const toMs = changes[i + 1]?.atMs ?? Date.UTC(year + 1);
      if (toMs > fromMs) yield { fromMs: atMs, toMs, offsetMs };
    }
  }
}
