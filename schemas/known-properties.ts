import { type LinearPattern, linearPattern } from './linear-pattern.js';

interface Named {
  readonly properties?: object;
  readonly patternProperties?: object;
}

/**
 * Which properties of a value a schema names, by name or by pattern: what is left is for `additionalProperties`. In place of one
 * pattern of all names, as typebox makes it, which takes the longer the more properties there are.
 */
export const knownProperties = ({ properties = {}, patternProperties = {} }: Named): LinearPattern => {
  const names = new Set(Object.keys(properties));
  const patterns = Object.keys(patternProperties).map(linearPattern);
  return { test: (key) => names.has(key) || patterns.some((pattern) => pattern.test(key)) };
};
