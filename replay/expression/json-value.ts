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

/**
 * Whether two values are the same JSON, however deep; the order of keys is no difference, and 0 and -0 are one
 * number.
 */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  // Without calling itself: a log can hold what is deeper than any stack.
  const pairs: [unknown, unknown][] = [[a, b]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [one, other] = pair;
    if (one === other) continue;
    if (Array.isArray(one)) {
      if (!Array.isArray(other) || one.length !== other.length) return false;
      for (let i = 0; i < one.length; i++) pairs.push([one[i], other[i]]);
      continue;
    }
    if (!isJsonObject(one) || !isJsonObject(other)) return false;
    const keys = Object.keys(one);
    if (keys.length !== Object.keys(other).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(other, key)) return false;
      pairs.push([one[key], other[key]]);
    }
  }
  return true;
};
