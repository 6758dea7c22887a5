import { clip } from '../../text/printable.js';
import { writeJson } from '../../schemas/write-json.js';
import type { Arithmetic, BinaryOperator, Expression } from './ast.js';
import { FUNCTIONS, isIn } from './functions.js';
import { type Json, part, sameJson } from './json-value.js';
import { refuse } from './problem.js';

/** Characters of a value that an error shows. */
const SHOWN = 200;

/** What is known at one record, for expressions to name. What is undefined is null to them. */
export interface Scope {
  /** The agent's state with that record. */
  readonly state?: unknown;
  readonly agent?: string;
  readonly seq?: number;
  /** When it was stored, RFC 3339. */
  readonly time?: string;
  /** What it says that happened: `name` and `data`. */
  readonly event?: unknown;
  /** The state before. */
  readonly before?: unknown;
}

const typeName = (value: Json): string => {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${clip(writeJson(value), SHOWN)}`;
};

/** True or false; null, as of a path that is not there, is false. Throws EXPRESSION_INVALID for anything else. */
export const truth = (value: Json, text: string, at: number): boolean => {
  if (value === null || typeof value === 'boolean') return value === true;
  return refuse(text, at, `this must be true or false, and is ${typeName(value)}`);
};

/** JSON has neither infinities nor NaN. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const calculate = (operator: Arithmetic, a: Json, b: Json): Json => {
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') return a + b;
  if (typeof a !== 'number' || typeof b !== 'number') return null;
  switch (operator) {
    case '+':
      return finite(a + b);
    case '-':
      return finite(a - b);
    case '*':
      return finite(a * b);
    case '/':
      return finite(a / b);
    case '%':
      return finite(a % b);
  }
};

const isOrdered = (a: Json, b: Json): boolean =>
  (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');

const combine = (operator: Exclude<BinaryOperator, '&&' | '||'>, a: Json, b: Json): Json => {
  switch (operator) {
    case '==':
      return sameJson(a, b);
    case '!=':
      return !sameJson(a, b);
    case '<':
      return isOrdered(a, b) && (a as number) < (b as number);
    case '<=':
      return isOrdered(a, b) && (a as number) <= (b as number);
    case '>':
      return isOrdered(a, b) && (a as number) > (b as number);
    case '>=':
      return isOrdered(a, b) && (a as number) >= (b as number);
    case 'in':
      return isIn(a, b);
    default:
      return calculate(operator, a, b);
  }
};

/**
 * The value of an expression. Throws EXPRESSION_INVALID where `!`, `&&` or `||` meet what is neither true nor false.
 */
export const evaluate = (expression: Expression, scope: Scope, text: string): Json => {
  const found = (inner: Expression): Json => evaluate(inner, scope, text);
  const truthOf = (inner: Expression): boolean => truth(found(inner), text, inner.at);
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'name':
      return (scope[expression.name] ?? null) as Json;
    case 'list':
      return expression.items.map(found);
    case 'part':
      return part(found(expression.of), found(expression.key)) ?? null;
    case 'call': {
      const { apply } = FUNCTIONS[expression.name] as { readonly apply: (...args: readonly Json[]) => Json };
      return apply(...expression.args.map(found));
    }
    case 'unary': {
      const { operator, of } = expression;
      if (operator === '!') return !truthOf(of);
      const value = found(of);
      return typeof value === 'number' ? -value : null;
    }
    case 'binary': {
      const { operator, left, right } = expression;
      if (operator === '&&') return truthOf(left) && truthOf(right);
      if (operator === '||') return truthOf(left) || truthOf(right);
      return combine(operator, found(left), found(right));
    }
  }
};
