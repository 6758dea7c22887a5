/**
 * Points of time that all processes of a machine share: multiples of a period, by the clock since the machine began.
 * An idle process costs by how often it wakes up. What needs no exact time wakes up at such a point, together with
 * everything else that does.
 */
const MS = 1_000_000n;
/** A point that is nearer than this share of the period is left out. */
const NEAR = 8;

/** How long it is to the next point, milliseconds: a period, less or more an eighth of it after the first one. */
export const untilGrid = (periodMs: number): number => {
  const left = periodMs - (Number(process.hrtime.bigint() / MS) % periodMs);
  return left < periodMs / NEAR ? left + periodMs : left;
};

/** Calls back once a period, at such points. It does not keep the process alive. Returns what ends it. */
export const everyOnGrid = (periodMs: number, tick: () => void): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(() => {
      arm();
      tick();
    }, untilGrid(periodMs)).unref();
  };
  arm();
  return () => clearTimeout(timer);
};
