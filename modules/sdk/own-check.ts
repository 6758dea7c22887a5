import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type Check, compile, type JsonSchema } from '../../schemas/validate.js';
import { messageOf } from '../../text/thrown-message.js';

/** What a check beyond JSON Schema finds wrong with a value. */
export interface OwnProblem {
  /** JSON pointer. */
  readonly path: string;
  readonly message: string;
}

/** Of any copy of this package: a module can bring another one than its host. */
const OWN_CHECK = Symbol.for('tallystick.own-check');

type OwnCheck = (value: unknown) => OwnProblem | undefined;

/** Notes in a JSON Schema what it cannot say. JSON leaves the note out. */
export const withOwnCheck = <S extends object>(schema: S, check: OwnCheck): S =>
  Object.defineProperty(schema, OWN_CHECK, { value: check });

/** Compiles a schema of a manifest, with the check that its library has beyond JSON Schema. */
export const compileWhole = (schema: JsonSchema, code: ErrorCode, what: string): Check<unknown> => {
  const inJson = compile<unknown>(schema, code, what);
  const own =
    typeof schema === 'object' ? (schema as { readonly [OWN_CHECK]?: OwnCheck })[OWN_CHECK] : undefined;
  if (own === undefined) return inJson;
  const more = (value: unknown): Either<Fault, unknown> => {
    let problem: OwnProblem | undefined;
    try {
      problem = own(value);
    } catch (error) {
      problem = { path: '', message: `cannot be checked: ${messageOf(error)}` };
    }
    return problem === undefined
      ? right(value)
      : left(fault(code, `${what}${problem.path} ${problem.message}`, problem.path));
  };
  return (value) => {
    const checked = inJson(value);
    return checked._tag === 'Left' ? checked : more(value);
  };
};
