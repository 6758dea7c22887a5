import { type Either, left, right } from 'fp-ts/lib/Either.js';
import Schema from 'typebox/schema';
import { withOurPatterns } from './linear-pattern.js';
import { TooMuchWork, withinCheck, withinSearch } from './work-budget.js';
import type { ErrorCode } from './error-table.js';
import { type Fault, fault } from './errors.js';

/** A JSON Schema as manifests carry it. */
export type JsonSchema = object | boolean;

/** Checks a value. The fault names the place (`path`, a JSON pointer) and the reason. */
export type Check<T> = (value: unknown) => Either<Fault, T>;

interface Problem {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
}

// `additionalProperties: false` is reported twice: as the `false` schema at the place, with the path that the caller
// needs, and as the keyword at the parent, with the message.
const explain = (problem: Problem): string =>
  problem.keyword === 'boolean' ? 'is not a known property' : problem.message;

const NO_PLACE = 'does not fit its schema; it is too large to find the place: send a smaller part to find it';

/** The reason why a check did not finish. Throws a fault of ours. */
const whyStopped = (error: unknown): string => {
  if (error instanceof TooMuchWork) return `takes too long to check: ${error.message}`;
  // A recursive schema met a payload that is nested deeper than the stack. That is the sender's fault, not a crash.
  if (error instanceof RangeError) return 'is nested too deeply';
  throw error;
};

/** Compiles a JSON Schema once. Hot paths run the returned check. */
export const compile = <T>(schema: JsonSchema, code: ErrorCode, what: string): Check<T> => {
  const compiled = Schema.Compile(schema as Parameters<typeof Schema.Compile>[0]);
  const wrong = (message: string, path = ''): Either<Fault, never> =>
    left(fault(code, `${what}${path} ${message}`, path));
  return (value) => {
    try {
      if (withinCheck(() => compiled.Check(value))) return right(value as T);
    } catch (error) {
      return wrong(whyStopped(error));
    }
    try {
      const [, problems] = withinSearch(() => compiled.Errors(value)) as readonly [
        boolean,
        readonly Problem[],
      ];
      const first = problems[0];
      return first === undefined ? wrong(NO_PLACE) : wrong(explain(first), first.instancePath);
    } catch (error) {
      whyStopped(error);
      return wrong(NO_PLACE);
    }
  };
};

/**
 * The same for a schema of ours, compiled at its first use, and its patterns at theirs. A process knows many schemas
 * and checks few of them.
 * `tallystick status` without a broker takes 10 ms of processor time less by this, of 200.
 */
export const compileOnUse = <T>(schema: JsonSchema, code: ErrorCode, what: string): Check<T> => {
  let check: Check<T> | undefined;
  return (value) => {
    check ??= withOurPatterns(() => compile<T>(schema, code, what));
    return check(value);
  };
};
