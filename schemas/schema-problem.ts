import { patternSize } from './linear-pattern.js';

/** A problem of a JSON Schema and its place: `path` is a JSON pointer. */
export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
}

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/** Deep enough for any payload that people read. A deeper schema would overflow the stack of its compiler. */
const MAX_DEPTH = 64;

/** The most steps of a pattern for each character: `.{1,1000}` has about 2,000. */
const MAX_PATTERN_SIZE = 5_000;

const GROUPS = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'];
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const SINGLES = [
  'items',
  'additionalItems',
  'additionalProperties',
  'unevaluatedItems',
  'unevaluatedProperties',
  'propertyNames',
  'contains',
  'not',
  'if',
  'then',
  'else',
];

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

// The compiler skips a keyword whose value has the wrong type. Then the schema would accept everything, and the
// module's author would notice only in production.
const KEYWORDS: readonly (readonly [readonly string[], (value: unknown) => boolean, string])[] = [
  [['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'], isNumber, 'is not a number'],
  [
    [
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'minProperties',
      'maxProperties',
      'minContains',
      'maxContains',
    ],
    isCount,
    'is not an integer of 0 or more',
  ],
  [['required'], isStrings, 'is not an array of strings'],
  [['pattern', '$ref', 'format'], (value) => typeof value === 'string', 'is not a string'],
  [['enum'], Array.isArray, 'is not an array'],
  [['uniqueItems', 'sensitive'], (value) => typeof value === 'boolean', 'is not true or false'],
];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON pointer one step further down. */
export const pointer = (path: string, key: string | number): string =>
  `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

const patternProblem = (node: Record<string, unknown>, path: string): SchemaProblem | undefined => {
  const patterns: (readonly [string, string])[] = [];
  if (typeof node.pattern === 'string') patterns.push([pointer(path, 'pattern'), node.pattern]);
  if (isObject(node.patternProperties)) {
    const at = pointer(path, 'patternProperties');
    for (const key of Object.keys(node.patternProperties)) patterns.push([pointer(at, key), key]);
  }
  for (const [at, pattern] of patterns) {
    const measured = patternSize(pattern);
    if ('problem' in measured) return { path: at, message: measured.problem };
    if (measured.size > MAX_PATTERN_SIZE) {
      const message = `is a pattern with ${measured.size} steps for each character; at most ${MAX_PATTERN_SIZE} are allowed`;
      return { path: at, message };
    }
  }
  return undefined;
};

const keywordProblem = (node: Record<string, unknown>, path: string): SchemaProblem | undefined => {
  const { type } = node;
  const types = type === undefined ? [] : [type].flat();
  if (!types.every((one) => typeof one === 'string' && TYPES.includes(one))) {
    return { path: pointer(path, 'type'), message: `is not one of ${TYPES.join(', ')}` };
  }
  for (const [keys, fits, message] of KEYWORDS) {
    const wrong = keys.find((key) => node[key] !== undefined && !fits(node[key]));
    if (wrong !== undefined) return { path: pointer(path, wrong), message };
  }
  return patternProblem(node, path);
};

/** The schemas inside a schema with their places, or the first place that should hold schemas and does not. */
const children = (node: Record<string, unknown>, path: string): [string, unknown][] | SchemaProblem => {
  const found: [string, unknown][] = [];
  for (const key of GROUPS) {
    const group = node[key];
    if (group === undefined) continue;
    const at = pointer(path, key);
    if (!isObject(group)) return { path: at, message: 'is not an object' };
    found.push(
      ...Object.entries(group).map(([name, child]): [string, unknown] => [pointer(at, name), child]),
    );
  }
  for (const key of [...LISTS, ...SINGLES]) {
    const value = node[key];
    if (value === undefined) continue;
    const at = pointer(path, key);
    // Up to draft 2019-09, `items` may be an array; from 2020-12 on, that is `prefixItems`.
    if (Array.isArray(value) && (LISTS.includes(key) || key === 'items')) {
      found.push(...value.map((child, i): [string, unknown] => [pointer(at, i), child]));
    } else if (LISTS.includes(key)) return { path: at, message: 'is not an array' };
    else found.push([at, value]);
  }
  return found;
};

/** The first problem that makes a schema check something else than its text says; undefined if there is none. */
export const schemaProblem = (schema: unknown, path: string, depth = 0): SchemaProblem | undefined => {
  if (typeof schema === 'boolean') return undefined;
  if (!isObject(schema)) return { path, message: 'is not a JSON Schema' };
  if (depth > MAX_DEPTH) return { path, message: `is nested more than ${MAX_DEPTH} deep` };
  const wrong = keywordProblem(schema, path);
  if (wrong !== undefined) return wrong;
  const inner = children(schema, path);
  if (!Array.isArray(inner)) return inner;
  for (const [at, child] of inner) {
    const problem = schemaProblem(child, at, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
};
