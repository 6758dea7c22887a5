/** A JSON Schema, as far as a form needs it. */
export interface InputSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, InputSchema>>;
  readonly required?: readonly string[];
  readonly items?: InputSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly description?: string;
  readonly anyOf?: readonly InputSchema[];
}

const typeOf = ({ type }: InputSchema): string | undefined => (typeof type === 'string' ? type : type?.[0]);

const MAX_DEPTH = 6;

/** A value that fits in most cases: where a person begins to type. */
export const exampleOf = (schema: InputSchema | undefined, depth = 0): unknown => {
  if (schema === undefined || depth > MAX_DEPTH) return null;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return exampleOf(schema.anyOf[0], depth + 1);
  switch (typeOf(schema)) {
    case 'object': {
      const { properties = {}, required = Object.keys(properties) } = schema;
      return Object.fromEntries(
        Object.entries(properties)
          .filter(([key]) => required.includes(key))
          .map(([key, member]) => [key, exampleOf(member, depth + 1)]),
      );
    }
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return schema.minimum ?? (schema.exclusiveMinimum === undefined ? 1 : schema.exclusiveMinimum + 1);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return typeOf(schema) === 'string' ? '' : {};
  }
};

/** A schema in one line: `{ amount: integer, note?: string }`. */
export const schemaText = (schema: InputSchema | undefined, depth = 0): string => {
  if (schema === undefined || depth > MAX_DEPTH) return 'anything';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => schemaText(one, depth + 1)).join(' | ');
  if (typeOf(schema) === 'array') return `${schemaText(schema.items, depth + 1)}[]`;
  if (typeOf(schema) !== 'object') return typeOf(schema) ?? 'anything';
  const { properties = {}, required = [] } = schema;
  const members = Object.entries(properties).map(
    ([key, member]) => `${key}${required.includes(key) ? '' : '?'}: ${schemaText(member, depth + 1)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
};
