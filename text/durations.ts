const unit = (value: number, digits: number, name: string): string => `${value.toFixed(digits)} ${name}`;

/** A duration, to three or four digits: `0.42 ms`, `18.3 ms`, `1.42 s`, `3 m 02 s`, `2 h 05 m`. */
export const formatDuration = (ms: number): string => {
  if (ms < 9.995) return unit(ms, 2, 'ms');
  if (ms < 99.95) return unit(ms, 1, 'ms');
  if (ms < 999.5) return unit(ms, 0, 'ms');
  if (ms < 59_995) return unit(ms / 1_000, 2, 's');
  const seconds = Math.round(ms / 1_000);
  const two = (n: number): string => `${n}`.padStart(2, '0');
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  return `${(minutes / 1_440).toFixed(1)} d`;
};
