import { isJsonObject, type Json, part, sameJson } from './json-value.js';

interface ExpressionFunction {
  readonly arity: number;
  readonly apply: (...args: readonly Json[]) => Json;
}

/** Whether something is an item of a list, a key of an object or a part of a string; false for what has no parts. */
export const isIn = (what: Json, where: Json): boolean => {
  if (Array.isArray(where)) return where.some((item) => sameJson(item, what));
  if (typeof what !== 'string') return false;
  if (typeof where === 'string') return where.includes(what);
  return isJsonObject(where) && Object.hasOwn(where, what);
};

const lengthOf = (value: Json): number | null => {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : null;
};

const bothStrings =
  (holds: (text: string, other: string) => boolean) =>
  (text: Json = null, other: Json = null): boolean =>
    typeof text === 'string' && typeof other === 'string' && holds(text, other);

/** There is no pattern matching among them: a pattern can be written that takes for ever. */
export const FUNCTIONS = {
  /** Characters of a string (UTF-16 units), items of a list, keys of an object; null of anything else. */
  len: { arity: 1, apply: (value = null) => lengthOf(value) },
  /** Whether an object has a key, or a list an index; also where its value is null. */
  has: { arity: 2, apply: (value = null, key = null) => part(value, key) !== undefined },
  contains: { arity: 2, apply: (where = null, what = null) => isIn(what, where) },
  startsWith: { arity: 2, apply: bothStrings((text, other) => text.startsWith(other)) },
  endsWith: { arity: 2, apply: bothStrings((text, other) => text.endsWith(other)) },
} as const satisfies Record<string, ExpressionFunction>;

export type FunctionName = keyof typeof FUNCTIONS;

export const isFunctionName = (name: string): name is FunctionName => Object.hasOwn(FUNCTIONS, name);
