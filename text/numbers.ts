/** A number for people: `1,234,567`. `digits`: how many digits of its fraction are shown at most. */
export const formatNumber = (value: number, digits = 0): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits });

/** `1 try`, `3 tries`. */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${formatNumber(n)} ${n === 1 ? one : many}`;
