import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { hasMark } from './mask-spots.js';
import { isName } from './names.js';
import { pointer, type SchemaProblem } from './schema-problem.js';
import { compile, type JsonSchema } from './validate.js';

/** In the data directory: the configuration of modules. Its secrets are sealed. */
export const CONFIG_FILE = 'config.json';

/** The largest value of a key, as JSON. */
export const MAX_CONFIG_VALUE_BYTES = 65_536;
const MAX_KEYS = 200;

type Fields = Readonly<Record<string, unknown>>;
/** The configuration of a module, by key. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/** What is needed of a manifest here. */
export interface ConfiguredManifest {
  readonly name: string;
  readonly config?: JsonSchema | undefined;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const propertiesOf = (schema: unknown): Readonly<Record<string, JsonSchema>> =>
  isFields(schema) && isFields(schema.properties)
    ? (schema.properties as Readonly<Record<string, JsonSchema>>)
    : {};

/** Each key is checked by itself, so nothing may say how keys depend on each other. */
const ALLOWED: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'type',
  'title',
  'description',
  'properties',
  'required',
  'additionalProperties',
]);

const definitionsOf = (schema: Fields): Fields =>
  Object.fromEntries(
    ['$defs', 'definitions'].flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])),
  );

const refers = (schema: unknown): boolean =>
  isFields(schema)
    ? '$ref' in schema || Object.values(schema).some(refers)
    : Array.isArray(schema) && schema.some(refers);

/** A key of a configuration, as the manifest declares it. */
export interface ConfigKey {
  readonly key: string;
  readonly schema: JsonSchema;
  /** Marked with `sensitive: true`: a secret. */
  readonly isSecret: boolean;
  readonly isRequired: boolean;
}

/** The keys that a module declares, in the order of its manifest. */
export const configKeys = ({ config }: Pick<ConfiguredManifest, 'config'>): readonly ConfigKey[] => {
  if (!isFields(config)) return [];
  const required = Array.isArray(config.required) ? config.required : [];
  return Object.entries(propertiesOf(config)).map(([key, schema]) => ({
    key,
    schema,
    // A reference may lead to a marked definition. Rather too much is a secret than too little.
    isSecret: hasMark(schema) || (refers(schema) && hasMark(definitionsOf(config))),
    isRequired: required.includes(key),
  }));
};

/** The default of a schema, for what has no value; also within objects. */
const withDefault = (schema: unknown, value: unknown): unknown => {
  if (value === undefined) return isFields(schema) ? schema.default : undefined;
  if (!isFields(value)) return value;
  const properties = Object.entries(propertiesOf(schema)).flatMap(([key, inner]) => {
    const given = withDefault(inner, Object.hasOwn(value, key) ? value[key] : undefined);
    return given === undefined ? [] : [[key, given] as const];
  });
  return properties.length === 0 ? value : { ...value, ...Object.fromEntries(properties) };
};

/** The schema of one key alone, with the definitions that it may refer to. */
const schemaOfKey = (config: JsonSchema, { key, schema }: ConfigKey): JsonSchema => ({
  ...(isFields(config) ? definitionsOf(config) : {}),
  type: 'object',
  properties: { [key]: schema },
});

const SHOWN_SCHEMA = 200;

/** Without its texts: what a value must be. */
const shownSchema = (schema: JsonSchema): string => {
  const { title: _, description: __, sensitive: ___, default: ____, ...rest } = schema as Fields;
  const text = JSON.stringify(isFields(schema) ? rest : schema);
  return text.length > SHOWN_SCHEMA ? `${text.slice(0, SHOWN_SCHEMA - 1)}…` : text;
};

const invalid = (module: string, { key, schema }: ConfigKey, why: string): Fault =>
  fault('CONFIG_INVALID', `${module}.${key} ${why}. Its schema is ${shownSchema(schema)}`, pointer('', key));

/** Checks the value of one key. The message names key and schema, and never has the value of a secret. */
export const checkConfigValue = (
  { name, config = true }: ConfiguredManifest,
  declared: ConfigKey,
  value: unknown,
): Either<Fault, unknown> => {
  const { key, isSecret } = declared;
  const check = compile(schemaOfKey(config, declared), 'CONFIG_INVALID', 'value');
  const checked = check({ [key]: value });
  if (!isLeft(checked)) return right(value);
  // What a check says of a value may have parts of it.
  if (isSecret) return left(invalid(name, declared, 'does not fit its schema (the value is hidden)'));
  const { path = '', message } = checked.left;
  const place = path.slice(pointer('', key).length);
  return left(
    invalid(name, declared, `${place === '' ? '' : `at ${place} `}${message.replace(`value${path} `, '')}`),
  );
};

/** The key of that name: CONFIG_KEY_UNKNOWN if the module declares none. */
export const configKey = (manifest: ConfiguredManifest, key: string): Either<Fault, ConfigKey> => {
  const keys = configKeys(manifest);
  const found = keys.find((each) => each.key === key);
  if (found !== undefined) return right(found);
  const has =
    keys.length === 0 ? 'declares no configuration' : `has ${keys.map((each) => each.key).join(', ')}`;
  const asked = JSON.stringify(key.slice(0, 64));
  return left(fault('CONFIG_KEY_UNKNOWN', `${manifest.name} has no key ${asked}: it ${has}`));
};

const missing = (name: string, keys: readonly string[]): Fault => {
  const commands = keys.map((key) => `\`tallystick config set ${name} ${key}\``).join(', ');
  const what = keys.length === 1 ? `${keys[0]}, which has` : `${keys.join(', ')}, which have`;
  return fault(
    'CONFIG_MISSING',
    `${name} needs ${what} no value: type ${commands}`,
    pointer('', keys[0] ?? ''),
  );
};

/**
 * The configuration that the process of a module gets: what is set, and the defaults of its schema. A value of a key
 * that the module does not declare stays out. CONFIG_MISSING, CONFIG_INVALID.
 */
export const effectiveConfig = (
  manifest: ConfiguredManifest,
  values: ConfigValues,
): Either<Fault, ConfigValues> => {
  const keys = configKeys(manifest);
  const whole = keys.map((declared) => {
    const given = Object.hasOwn(values, declared.key) ? values[declared.key] : undefined;
    return { declared, value: withDefault(declared.schema, given) };
  });
  const lacking = whole.filter(({ declared, value }) => declared.isRequired && value === undefined);
  if (lacking.length > 0)
    return left(
      missing(
        manifest.name,
        lacking.map(({ declared }) => declared.key),
      ),
    );
  const present = whole.filter(({ value }) => value !== undefined);
  for (const { declared, value } of present) {
    const checked = checkConfigValue(manifest, declared, value);
    if (isLeft(checked)) return checked;
  }
  return right(Object.fromEntries(present.map(({ declared, value }) => [declared.key, value])));
};

/** A problem of the `config` of a manifest, besides those of any JSON Schema. */
export const configProblem = (manifest: ConfiguredManifest): SchemaProblem | undefined => {
  const { config } = manifest;
  if (config === undefined) return undefined;
  const at = '/config';
  if (!isFields(config) || config.type !== 'object')
    return { path: at, message: 'is not the schema of an object: each property is a key' };
  const strange = Object.keys(config).find((name) => !ALLOWED.has(name));
  if (strange !== undefined)
    return {
      path: pointer(at, strange),
      message: 'is not for a configuration: each key is checked by itself',
    };
  const keys = configKeys(manifest);
  if (keys.length > MAX_KEYS) return { path: `${at}/properties`, message: `has more than ${MAX_KEYS} keys` };
  for (const declared of keys) {
    const { key, schema, isSecret } = declared;
    const path = pointer(`${at}/properties`, key);
    if (!isName(key)) return { path, message: 'has a name that is not 1 to 64 of A-Z a-z 0-9 _ -' };
    const given = isFields(schema) ? schema.default : undefined;
    if (given === undefined) continue;
    if (isSecret) return { path, message: 'is a secret with a default: a manifest keeps no secret' };
    const fits = checkConfigValue(manifest, declared, given);
    if (isLeft(fits)) return { path: `${path}/default`, message: fits.left.message };
  }
  return undefined;
};

/** Whether all values of a schema are texts. */
export const isTextSchema = (schema: unknown): boolean =>
  isFields(schema) &&
  (schema.type === 'string' ||
    typeof schema.const === 'string' ||
    (Array.isArray(schema.enum) && schema.enum.every((each) => typeof each === 'string')) ||
    (Array.isArray(schema.anyOf) && schema.anyOf.every(isTextSchema)));

/** The value that a person typed: the text itself where the schema is of texts, else JSON if it is JSON. */
export const typedConfigValue = (schema: JsonSchema, text: string): unknown => {
  if (isTextSchema(schema)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Texts within a value, for a search in what a module prints. */
export const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isFields(value) ? Object.values(value).flatMap(textsIn) : [];
};
