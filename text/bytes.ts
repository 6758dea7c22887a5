export const KIB = 1024;

/** Units of bytes, the largest first. */
export const BYTE_STEPS = [
  ['TiB', KIB ** 4],
  ['GiB', KIB ** 3],
  ['MiB', KIB ** 2],
  ['KiB', KIB],
] as const;

/** For people: at most one decimal, `1.5 MiB`. */
export const formatBytes = (bytes: number): string => {
  const step = BYTE_STEPS.find(([, size]) => bytes >= size);
  if (step === undefined) return `${Math.round(bytes)} B`;
  const [unit, size] = step;
  return `${Number((bytes / size).toFixed(1))} ${unit}`;
};
