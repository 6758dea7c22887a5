import assert from 'node:assert/strict';

const freeze = (value: unknown): void => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
};

/** The value as the log would give it back: what JSON leaves of it. */
export const throughJson = <T>(value: T): T =>
  value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);

/** A copy through JSON that no code can change: a handler or fold that mutates what it is given throws. */
export const frozen = <T>(value: T): T => {
  const copy = throughJson(value);
  freeze(copy);
  return copy;
};

/** Fails when JSON does not carry the value whole (a Map, a Date, NaN …): a snapshot of it would be another value. */
export const assertPlainJson = (value: unknown, what: string): void => {
  assert.deepStrictEqual(throughJson(value), value, `${what} is not plain JSON`);
};
