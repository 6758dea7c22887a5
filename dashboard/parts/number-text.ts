const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', {
  notation: 'compact',
  maximumFractionDigits: 1,
});

export const countText = (count: number): string => plain.format(count);

export const rateText = (rate: number): string =>
  rate >= 10_000 ? short.format(rate) : rate >= 10 || rate === 0 ? plain.format(rate) : rate.toFixed(1);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export const bytesText = (bytes: number): string => {
  const place = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1_024 ** place;
  return `${value >= 100 || place === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[place]}`;
};

export const msText = (ms: number): string => {
  if (ms < 1) return `${(ms * 1_000).toFixed(0)} µs`;
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 7_200_000 && ms !== 3_600_000) return `${(ms / 60_000).toFixed(0)} min`;
  return ms < 172_800_000
    ? `${Number((ms / 3_600_000).toFixed(1))} h`
    : `${(ms / 86_400_000).toFixed(0)} days`;
};

/** The time of day, as the clock of the reader shows it. */
export const clockText = (time: string): string => {
  const date = new Date(time);
  return Number.isNaN(date.getTime())
    ? time
    : `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
};

const DAY_MS = 86_400_000;

/** A time of today as a time of day; of another day with its date. */
export const momentText = (time: string): string => {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const isNear = Math.abs(date.getTime() - Date.now()) < DAY_MS && date.getDate() === new Date().getDate();
  return isNear
    ? date.toLocaleTimeString('en-GB')
    : `${date.toLocaleDateString('en-GB')} ${date.toLocaleTimeString('en-GB')}`;
};
