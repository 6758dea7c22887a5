/** A stretch of time in which the clock of a zone stands at one offset from UTC. All in milliseconds. */
export interface Stretch {
  readonly fromMs: number;
  /** The next stretch begins here, at the same offset or another one. */
  readonly toMs: number;
  /** The clock shows UTC and this. */
  readonly offsetMs: number;
}

interface Change {
  readonly atMs: number;
  readonly offsetMs: number;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** How far the clock of a zone is ahead of UTC at an instant, as Intl has it. */
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
    // As one text: its parts cost nine times as much.
    const [month = 1, day = 1, year = 0, hour = 0, minute = 0, second = 0] = (
      format.format(ms).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
  };
};

/** Zones whose changes are remembered; of more, all are forgotten. */
const MOST_ZONES = 1_000;
const known = new Map<string, Map<number, readonly Change[]>>();

/** Of one zone, however its name is written: senders choose that, and each new way would be read again. */
const yearsOf = (zone: string): Map<number, readonly Change[]> => {
  const name = zone.toLowerCase();
  const years = known.get(name) ?? new Map<number, readonly Change[]>();
  if (!known.has(name) && known.size >= MOST_ZONES) known.clear();
  known.set(name, years);
  return years;
};

/** The second at which the offset changes between two instants. */
const changeBetween = (offset: (ms: number) => number, fromMs: number, toMs: number): Change => {
  let [low, high] = [fromMs, toMs];
  const before = offset(low);
  while (high - low > SECOND_MS) {
    const middle = Math.floor((low + high) / 2 / SECOND_MS) * SECOND_MS;
    if (offset(middle) === before) low = middle;
    else high = middle;
  }
  return { atMs: high, offsetMs: offset(high) };
};

/** The offset at the start of a year (UTC), and each change in it; about 1 ms, so it is remembered. */
const changesOf = (zone: string, year: number): readonly Change[] => {
  const years = yearsOf(zone);
  const remembered = years.get(year);
  if (remembered !== undefined) return remembered;
  const offset = offsetReader(zone);
  const [start, end] = [Date.UTC(year), Date.UTC(year + 1)];
  const changes: Change[] = [{ atMs: start, offsetMs: offset(start) }];
  // No zone changes its clock twice within a day.
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
 * The stretches of a zone from the one that holds `fromMs` on, in their order, up to one that ends behind `untilMs`. Each ends with
 * its year (UTC) at the latest, so that nobody reads a year which nobody asked for.
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
