import type { Manifest } from './manifest.js';
import { hasMark } from './mask-spots.js';
import type { JsonSchema } from './validate.js';

/** In the data directory: what each version of each module has marked. */
export const SENSITIVE_FILE = 'sensitive.json';

type MarkedSchemas = Readonly<Record<string, readonly JsonSchema[]>>;

/** What a module marks as sensitive: the schemas that have a mark, of all of its versions. */
export interface ModuleMarks {
  readonly inputs: MarkedSchemas;
  readonly outputs: MarkedSchemas;
  readonly events: MarkedSchemas;
  /** Of its agents' states, as {@link schemaOfPath} makes them. */
  readonly state: readonly JsonSchema[];
}

/** By module. */
export type Marks = Readonly<Record<string, ModuleMarks>>;

export const NO_MARKS: ModuleMarks = { inputs: {}, outputs: {}, events: {}, state: [] };

/** The schema of a path in a state, `card.number` or `orders.*.email`: `*` is any member or item. */
export const schemaOfPath = (path: string): JsonSchema =>
  path
    .split('.')
    .reduceRight<JsonSchema>(
      (inner, part) =>
        part === '*' ? { additionalProperties: inner, items: inner } : { properties: { [part]: inner } },
      { sensitive: true },
    );

/** What says nothing about where a value is. Without it, versions that mark the same are the same. */
const TEXTS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'examples',
  'default',
  '$comment',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'format',
]);

const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

const plain = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !TEXTS.has(key))
      .map(([key, value]) => [
        key,
        NAMED.has(key) && typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
          : plain(value),
      ]),
  );
};

const marked = (schemas: Readonly<Record<string, JsonSchema>>): MarkedSchemas =>
  Object.fromEntries(
    Object.entries(schemas)
      .filter(([, schema]) => hasMark(schema))
      .map(([name, schema]) => [name, [plain(schema) as JsonSchema]]),
  );

const mapped = <T>(
  from: Readonly<Record<string, T>>,
  to: (value: T) => JsonSchema,
): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));

/** What one version marks. */
export const marksOf = ({ actions, events, sensitive = [] }: Manifest): ModuleMarks => ({
  inputs: marked(mapped(actions, ({ input }) => input)),
  outputs: marked(mapped(actions, ({ output }) => output)),
  events: marked(mapped(events, ({ data }) => data)),
  state: sensitive.map(schemaOfPath),
});

const distinct = (schemas: readonly JsonSchema[]): readonly JsonSchema[] => [
  ...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values(),
];

const united = (a: MarkedSchemas, b: MarkedSchemas): MarkedSchemas =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [
      name,
      distinct([
        ...(Object.hasOwn(a, name) ? (a[name] ?? []) : []),
        ...(Object.hasOwn(b, name) ? (b[name] ?? []) : []),
      ]),
    ]),
  );

/** What one or the other marks. A path that an older version marked stays marked: the log has its records. */
export const unitedMarks = (a: ModuleMarks, b: ModuleMarks): ModuleMarks => ({
  inputs: united(a.inputs, b.inputs),
  outputs: united(a.outputs, b.outputs),
  events: united(a.events, b.events),
  state: distinct([...a.state, ...b.state]),
});
