import type { JsonSchema } from './validate.js';

/**
 * Where a value may be hidden: a schema, and the schema that its references point into. A value has several, since a
 * union, a reference or an older version each has its own. If one of them marks it, it is hidden: rather too much
 * than too little.
 */
export interface Spot {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const valuesOf = (value: unknown): readonly unknown[] => (isFields(value) ? Object.values(value) : []);

const MARKED: JsonSchema = { sensitive: true };

/** Schemas that say more about the same value. Of `not` too: what a value is not may tell what it is. */
const ALTERNATIVES = ['allOf', 'anyOf', 'oneOf'];
const CONDITIONS = ['if', 'then', 'else', 'not'];
const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef'];

const byPointer = (root: JsonSchema, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (at, part) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Fields)[part] : undefined,
      root,
    );

/** A schema within the root that has this name: `$id`, `$anchor`, or its key in the definitions. */
const byName = (root: unknown, name: string, seen = new Set<unknown>()): unknown => {
  if (typeof root !== 'object' || root === null || seen.has(root)) return undefined;
  seen.add(root);
  if (isFields(root)) {
    if ([root.$id, root.$anchor, root.$dynamicAnchor].some((own) => own === name || own === `#${name}`))
      return root;
    for (const defs of [root.$defs, root.definitions])
      if (isFields(defs) && Object.hasOwn(defs, name)) return defs[name];
  }
  for (const value of Object.values(root)) {
    const found = byName(value, name, seen);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** A reference that leads nowhere hides: the schema has a mark, and nobody can tell where. */
const referred = (root: JsonSchema, reference: unknown): unknown => {
  if (typeof reference !== 'string') return MARKED;
  if (reference === '#' || reference === '') return root;
  try {
    const found = reference.startsWith('#/')
      ? byPointer(root, reference)
      : byName(root, reference.replace(/^#/, ''));
    return found ?? MARKED;
  } catch {
    return MARKED;
  }
};

/** All that say something about the value itself. */
export const expanded = (spots: readonly Spot[]): readonly Spot[] => {
  const all: Spot[] = [];
  const seen = new Set<unknown>();
  const add = (schema: unknown, root: JsonSchema): void => {
    if (!isFields(schema) || seen.has(schema)) return;
    seen.add(schema);
    all.push({ schema, root });
    for (const key of REFERENCES) if (schema[key] !== undefined) add(referred(root, schema[key]), root);
    for (const key of ALTERNATIVES) for (const each of listOf(schema[key])) add(each, root);
    for (const key of CONDITIONS) add(schema[key], root);
    for (const each of valuesOf(schema.dependentSchemas)) add(each, root);
  };
  for (const { schema, root } of spots) add(schema, root);
  return all;
};

/** Whether one of the expanded spots hides the value. */
export const isHidden = (spots: readonly Spot[]): boolean =>
  spots.some(({ schema }) => (schema as Fields).sensitive === true);

const fits = (pattern: string, name: string): boolean => {
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch {
    return true;
  }
};

/** The spots of a member, from the expanded spots of its object. */
export const memberSpots = (spots: readonly Spot[], name: string): readonly Spot[] =>
  spots.flatMap(({ schema, root }) => {
    const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema as Fields;
    const own = isFields(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
    const patterns = isFields(patternProperties)
      ? Object.entries(patternProperties).flatMap(([pattern, each]) => (fits(pattern, name) ? [each] : []))
      : [];
    const rest = own.length + patterns.length === 0 ? [additionalProperties] : [];
    return [...own, ...patterns, ...rest, unevaluatedProperties].flatMap((each) =>
      isFields(each) ? [{ schema: each, root }] : [],
    );
  });

/** The spots of an item, from the expanded spots of its list. */
export const itemSpots = (spots: readonly Spot[], index: number): readonly Spot[] =>
  spots.flatMap(({ schema, root }) => {
    const { prefixItems, items, additionalItems, contains, unevaluatedItems } = schema as Fields;
    const first = [...listOf(prefixItems), ...listOf(items)];
    const own = index < first.length ? [first[index]] : [Array.isArray(items) ? additionalItems : items];
    return [...own, contains, unevaluatedItems].flatMap((each) =>
      isFields(each) ? [{ schema: each, root }] : [],
    );
  });

export const spotsOf = (schemas: readonly JsonSchema[]): readonly Spot[] =>
  schemas.map((schema) => ({ schema, root: schema }));

/** Whether a schema marks anything. */
export const hasMark = (schema: unknown): boolean =>
  isFields(schema)
    ? schema.sensitive === true || Object.values(schema).some(hasMark)
    : Array.isArray(schema) && schema.some(hasMark);
