import { COMPARING, type Expression, PRECEDENCE, UNARY } from './ast.js';

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;
/** Of names, literals, calls and parts, which need no parentheses anywhere. */
const TIGHTEST = 7;

const precedenceOf = (expression: Expression): number => {
  if (expression.kind === 'binary') return PRECEDENCE[expression.operator];
  return expression.kind === 'unary' ? UNARY : TIGHTEST;
};

const within = (expression: Expression, least: number): string => {
  const text = printExpression(expression);
  return precedenceOf(expression) < least ? `(${text})` : text;
};

/** An expression as text again, with no more parentheses than it takes: reading that gives the same expression. */
export const printExpression = (expression: Expression): string => {
  switch (expression.kind) {
    case 'literal':
      return JSON.stringify(expression.value);
    case 'name':
      return expression.name;
    case 'list':
      return `[${expression.items.map(printExpression).join(', ')}]`;
    case 'call':
      return `${expression.name}(${expression.args.map(printExpression).join(', ')})`;
    case 'unary':
      return `${expression.operator}${within(expression.of, UNARY)}`;
    case 'part': {
      const { of, key } = expression;
      const whole = within(of, TIGHTEST);
      const isName = key.kind === 'literal' && typeof key.value === 'string' && PLAIN_NAME.test(key.value);
      return isName ? `${whole}.${key.value}` : `${whole}[${printExpression(key)}]`;
    }
    case 'binary': {
      const { operator, left, right } = expression;
      const own = PRECEDENCE[operator];
      // What binds equally tightly is read from left to right; comparisons are not read at all without parentheses.
      const before = within(left, own === COMPARING ? own + 1 : own);
      return `${before} ${operator} ${within(right, own + 1)}`;
    }
  }
};
