import type { FunctionName } from './functions.js';

/** What an expression may name; see {@link Scope}. */
export const SCOPE_NAMES = ['state', 'agent', 'seq', 'time', 'event', 'before'] as const;
export type ScopeName = (typeof SCOPE_NAMES)[number];

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in';
export type Arithmetic = '+' | '-' | '*' | '/' | '%';
export type Logic = '&&' | '||';
export type BinaryOperator = ComparisonOperator | Arithmetic | Logic;

/** An expression as it was read. `at`: where it stands in the text, from 0. */
export type Expression =
  | { readonly kind: 'literal'; readonly at: number; readonly value: null | boolean | number | string }
  | { readonly kind: 'name'; readonly at: number; readonly name: ScopeName }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly Expression[] }
  | { readonly kind: 'part'; readonly at: number; readonly of: Expression; readonly key: Expression }
  | {
      readonly kind: 'call';
      readonly at: number;
      readonly name: FunctionName;
      readonly args: readonly Expression[];
    }
  | { readonly kind: 'unary'; readonly at: number; readonly operator: '!' | '-'; readonly of: Expression }
  | {
      readonly kind: 'binary';
      /** Where the operator stands. */
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** How tightly an operator binds; what is written without parentheses groups by it. */
export const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  in: 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
};
/**
 * `a < b < c` means something else in mathematics than in most languages: it has to be written with `&&`, or
 * parentheses.
 */
export const COMPARING = PRECEDENCE['=='];
export const UNARY = 6;
