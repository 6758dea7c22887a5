import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import type { Expression } from './ast.js';
import { evaluate, type Scope, truth } from './evaluate.js';
import type { Json } from './json-value.js';
import { parseExpression } from './parse.js';

/** Evaluates a compiled expression. */
export type Evaluate<T> = (scope: Scope) => Either<Fault, T>;

const compile =
  <T>(take: (value: Json, text: string, at: number) => T) =>
  (text: string): Either<Fault, Evaluate<T>> => {
    const parsed = parseExpression(text);
    if (isLeft(parsed)) return parsed;
    const expression: Expression = parsed.right;
    return right((scope) => {
      try {
        return right(take(evaluate(expression, scope, text), text, expression.at));
      } catch (thrown) {
        if (thrown instanceof FaultError) return left(thrown.fault);
        return left(fault('EXPRESSION_INVALID', `${text} has no value: ${toFault(thrown).message}`));
      }
    });
  };

/**
 * Reads an expression of the small language in docs/reference/replay.md: what it is for a scope. It computes on plain
 * JSON, sees own properties only, and cannot loop. EXPRESSION_INVALID, with the column, when it cannot be read, or
 * where `!`, `&&` or `||` meet what is neither true nor false.
 */
export const compileExpression: (text: string) => Either<Fault, Evaluate<Json>> = compile((value) => value);

/** The same for an expression that is true or false; null is false. EXPRESSION_INVALID where it is anything else. */
export const condition: (text: string) => Either<Fault, Evaluate<boolean>> = compile(truth);
