const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The paths at which two values differ, as {@link JsonTree} names them. */
export const markedPaths = (before: unknown, now: unknown, path = ''): readonly string[] => {
  if (!isTree(before) || !isTree(now) || Array.isArray(before) !== Array.isArray(now))
    return Object.is(before, now) ? [] : [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys].flatMap((key) =>
    Object.hasOwn(now, key)
      ? markedPaths(Object.hasOwn(before, key) ? before[key] : undefined, now[key], `${path}/${key}`)
      : [path],
  );
};
