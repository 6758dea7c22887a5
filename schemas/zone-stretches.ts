/** A stretch of time in which the clock of a zone stands at one offset from UTC. All in milliseconds. */
export interface Stretch {
  readonly fromMs: number;
  /** The next stretch begins here. */
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
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
  };
};

/** Zones whose changes are remembered; of more, all are forgotten. */
const MOST_ZONES = 1_000;
const known = new Map<string, Map<number, readonly Change[]>>();

const yearsOf = (zone: string): Map<number, readonly Change[]> => {
  const years = known.get(zone) ?? new Map<number, readonly Change[]>();
  if (!known.has(zone) && known.size >= MOST_ZONES) known.clear();
  known.set(zone, years);
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

/** The offset at the start of a year (UTC), and each change in it; about 2 ms, so it is remembered. */
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

/** The stretches of a zone from the one that holds `fromMs` on, in their order, up to `untilMs`. */
export function* stretchesOf(zone: string, fromMs: number, untilMs: number): Generator<Stretch> {
  if (zone === 'UTC') {
    yield { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, offsetMs: 0 };
    return;
  }
  let open: Change | undefined;
  for (let year = new Date(fromMs).getUTCFullYear(); Date.UTC(year) <= untilMs; year++) {
    for (const change of changesOf(zone, year)) {
      if (open === undefined) open = change;
      else if (change.offsetMs !== open.offsetMs) {
        if (change.atMs > fromMs) yield { fromMs: open.atMs, toMs: change.atMs, offsetMs: open.offsetMs };
        open = change;
      }
    }
  }
  if (open !== undefined) yield { fromMs: open.atMs, toMs: untilMs, offsetMs: open.offsetMs };
}
