/** A value that agents are looked up by. */
export type FieldValue = string | number | boolean | null;

/**
 * The text by which a value is compared, so `3` finds the number and the text; undefined: an object, an array or
 * nothing, by which no agent is found.
 */
export const fieldText = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || value === null
    ? JSON.stringify(value)
    : undefined;
};

/** The value of a field in a state: `address.city`. */
export const fieldIn = (state: unknown, field: string): unknown =>
  field
    .split('.')
    .reduce<unknown>(
      (at, part) =>
        typeof at === 'object' && at !== null && !Array.isArray(at) && Object.hasOwn(at, part)
          ? (at as Readonly<Record<string, unknown>>)[part]
          : undefined,
      state,
    );
