import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';
import { FaultError, fault } from '../../schemas/errors.js';
import { pointer } from '../../schemas/schema-problem.js';
import { type OwnProblem, withOwnCheck } from './own-check.js';

/**
 * A schema of another library: a [Standard Schema](https://standardschema.dev) that also gives JSON Schema. Zod 4.2 and
 * ArkType 2.1.28 have it; for Valibot use `toStandardJsonSchema` of `@valibot/to-json-schema`.
 */
export interface StandardSchema<In = unknown, Out = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
    readonly validate: (value: unknown) => Validated | Promise<Validated>;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

/** What a library says of a value that it checked. */
export interface Validated {
  readonly issues?:
    | readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[]
    | undefined;
}

/** What a definition takes for a schema. */
export type AnySchema = TSchema | StandardSchema;

/** The type of the values that a schema accepts, as JSON carries them. */
export type TypeOf<S> = S extends StandardSchema<infer In> ? In : S extends TSchema ? Static<S> : never;

/** The schema as a manifest has it. */
export type InManifest<S> = S extends StandardSchema<infer In> ? TUnsafe<In> : S extends TSchema ? S : never;

/** What the library itself finds wrong, such as a refinement that JSON Schema cannot say. */
const problemOf = (schema: StandardSchema, value: unknown): OwnProblem | undefined => {
  const validated = schema['~standard'].validate(value);
  if (validated instanceof Promise) {
    validated.catch(() => undefined);
    return { path: '', message: 'has an asynchronous schema: history could not be run again' };
  }
  const [issue] = validated.issues ?? [];
  if (issue === undefined) return undefined;
  const keys = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return { path: keys.reduce<string>((path, key) => pointer(path, String(key)), ''), message: issue.message };
};

const isStandard = (schema: AnySchema): schema is StandardSchema => '~standard' in schema;

const noJsonSchema = (what: string, why: string): FaultError =>
  new FaultError(
    fault(
      'MANIFEST_INVALID',
      `${what} cannot be written as JSON Schema: ${why}. Use a schema that describes plain JSON`,
    ),
  );

/** The JSON Schema of a schema. `what` names it in the error. Throws MANIFEST_INVALID if there is none. */
export const inManifest = (schema: AnySchema, what: string): TSchema => {
  // ArkType's schemas are functions.
  if (schema === null || !['object', 'function'].includes(typeof schema)) {
    throw noJsonSchema(what, `it is ${schema === null ? 'null' : typeof schema}`);
  }
  if (!isStandard(schema)) return schema;
  const { vendor, jsonSchema } = schema['~standard'];
  if (jsonSchema === undefined) throw noJsonSchema(what, `this version of ${vendor} does not do that`);
  try {
    const { $schema: _, ...json } = jsonSchema.input({ target: 'draft-2020-12' });
    return withOwnCheck(Type.Unsafe(json), (value) => problemOf(schema, value));
  } catch (error) {
    throw noJsonSchema(what, (error as Error).message);
  }
};
