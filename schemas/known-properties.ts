import { type LinearPattern, linearPattern } from './linear-pattern.js';

interface Named {
  readonly properties?: object;
  readonly patternProperties?: object;
}

/**
 * The properties of a value that a schema names or matches by pattern; the rest is for `additionalProperties`. It
 * replaces typebox's one pattern of all names, which takes longer the more properties there are.
 */
export const knownProperties = ({ properties = {}, patternProperties = {} }: Named): LinearPattern => {
  const names = new Set(Object.keys(properties));
  const patterns = Object.keys(patternProperties).map(linearPattern);
  return { test: (key) => names.has(key) || patterns.some((pattern) => pattern.test(key)) };
};
