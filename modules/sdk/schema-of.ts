import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';
import { FaultError, fault } from '../../schemas/errors.js';

/**
 * A schema of another library: a [Standard Schema](https://standardschema.dev) that also gives JSON Schema. Zod 4.2 and
 * ArkType 2.1.28 have it; for Valibot use `toStandardJsonSchema` of `@valibot/to-json-schema`.
 */
export interface StandardSchema<In = unknown, Out = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

/** What a definition takes for a schema. */
export type AnySchema = TSchema | StandardSchema;

/** The type of the values that a schema accepts, as JSON carries them. */
export type TypeOf<S> = S extends StandardSchema<infer In> ? In : S extends TSchema ? Static<S> : never;

/** The schema as a manifest has it. */
export type InManifest<S> = S extends StandardSchema<infer In> ? TUnsafe<In> : S extends TSchema ? S : never;

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
    return Type.Unsafe(json);
  } catch (error) {
    throw noJsonSchema(what, (error as Error).message);
  }
};
