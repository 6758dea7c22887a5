/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const isJsonObject = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A part of a value, by a key of an object or an index of a list. Own properties only:
 * what JavaScript adds to every object is no part of a state. Undefined where there is none.
 */
export const part = (value: unknown, key: unknown): Json | undefined => {
  if (Array.isArray(value)) {
    if (!Number.isInteger(key)) return undefined;
    return value[key as number] as Json | undefined;
  }
  if (typeof key !== 'string' || !isJsonObject(value)) return undefined;
  return Object.hasOwn(value, key) ? (value[key] as Json) : undefined;
};

/** Whether two values are the same JSON; the order of keys is no difference, and 0 and -0 are one number. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((each, i) => sameJson(each, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
};
