import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { Expression } from '../../../replay/expression/ast.js';
import { SCOPE_NAMES } from '../../../replay/expression/ast.js';
import { FUNCTIONS, type FunctionName } from '../../../replay/expression/functions.js';
import { MAX_EXPRESSION_DEPTH, MAX_LENGTH, parseExpression } from '../../../replay/expression/parse.js';
import { printExpression } from '../../../replay/expression/print.js';
import { compileExpression, condition, type Scope } from '../../../replay/index.js';
import { failure, success } from '../../support/either.js';

const SCOPE: Scope = {
  state: {
    balance: 7_000,
    closed: false,
    owner: { name: 'Ada', since: null },
    items: [{ sku: 'a', count: 2 }, { sku: 'b' }],
    tags: ['new', 'big'],
  },
  before: { balance: 6_500 },
  agent: 'alice',
  seq: 17,
  time: '2026-11-21T10:00:00.000Z',
  event: { name: 'deposited', data: { amount: 500 } },
};

const valueIn = (text: string, scope = SCOPE): unknown => success(success(compileExpression(text))(scope));

const VALUES: readonly (readonly [string, unknown])[] = [
  ['state.balance >= 7000', true],
  ['state.items[0].sku == "a" && !(state.closed)', true],
  ["event.name == 'deposited'", true],
  ['state.balance - before.balance == event.data.amount', true],
  ['state["owner"]["name"]', 'Ada'],
  ['state.items[len(state.items) - 1].sku', 'b'],
  ['1 + 2 * 3 - 4 / 2 % 3', 5],
  ['-(1 + 2) * 2', -6],
  ['"a" + \'b\'', 'ab'],
  ['"it\'s \\u0041\\n"', "it's A\n"],
  ['1.5e3', 1500],
  ['true || false && false', true],
  ['!state.closed && !state.gone', true],
  ['"big" in state.tags', true],
  ['"balance" in state', true],
  ['"li" in agent', true],
  ['event.name in ["withdrawn", "deposited"]', true],
  ['seq in 5', false],
  ['contains(state.tags, "old")', false],
  ['has(state.owner, "since")', true],
  ['state.owner.since == null', true],
  ['has(state.owner, "gone")', false],
  ['has(state.items, 1) && !has(state.items, 2)', true],
  ['len(state)', 5],
  ['len(agent)', 5],
  ['len(7)', null],
  ['startsWith(time, "2026-11-21") && endsWith(time, "Z")', true],
  ['startsWith(seq, "1")', false],
  // What is not there is null, however deep.
  ['state.gone.deeper[3].still', null],
  ['state.items[7]', null],
  ['state.items[0.5]', null],
  ['state.items["0"]', null],
  ['agent[0]', null],
  // Order is of two numbers or two strings; equality of anything.
  ['"10" < "9"', true],
  ['state.gone < 1', false],
  ['state.gone >= 1', false],
  ['"7000" <= state.balance', false],
  ['"7000" == state.balance', false],
  ['"7000" != state.balance', true],
  ['state.tags == ["new", "big"]', true],
  ['state.tags != ["big", "new"]', true],
  ['0 == -0', true],
  // Arithmetic on anything else than it is for is null, and so is what no JSON number can be.
  ['state.gone + 1', null],
  ['"a" + 1', null],
  ['1 / 0', null],
  ['0 / 0', null],
  ['-"a"', null],
  // Own properties only.
  ['state.constructor', null],
  ['state.__proto__', null],
  ['state.items.length', null],
  ['"toString" in state', false],
  ['has(state, "constructor")', false],
  ['agent.length', null],
];

test('an expression has the value that the manual gives it', () => {
  for (const [text, expected] of VALUES) {
    assert.deepEqual(valueIn(text), expected, text);
  }
  assert.equal(valueIn('state', {}), null);
});

const INVALID: readonly (readonly [string, number, RegExp])[] = [
  ['', 1, /no expression/],
  ['   ', 4, /no expression/],
  ['state.balance = 7', 15, /== compares/],
  ['state.balance >=', 17, /missing/],
  ['state..a', 7, /a name is missing before \./],
  ['stat.balance', 1, /there is no stat here, but state, agent/],
  ['state.a & true', 9, /&& is/],
  ['eval("1")', 1, /no function eval, but len/],
  ['state.a("1")', 8, /\( cannot follow here/],
  ['len()', 1, /takes 1, and has 0/],
  ['len(1, 2)', 1, /takes 1, and has 2/],
  ['(1 + 2', 7, /\) is missing before the end/],
  ['[1 2]', 4, /, is missing before 2/],
  ['1 2', 3, /2 cannot follow here/],
  ['1 < 2 < 3', 7, /do not chain/],
  ['"abc', 1, /has no end/],
  ['"\\q"', 2, /no escape/],
  ['1e999', 1, /more than a number/],
  ['state # 1', 7, /no meaning/],
  ['{}', 1, /no meaning/],
  ['*', 1, /cannot stand here/],
];

test('what cannot be read is EXPRESSION_INVALID, with its column and a caret below it', () => {
  for (const [text, column, message] of INVALID) {
    const fault = failure(compileExpression(text));
    assert.equal(fault.code, 'EXPRESSION_INVALID', text);
    assert.match(fault.message, message, text);
    const [first = '', shown = '', caret = ''] = fault.message.split('\n');
    assert.ok(first.startsWith(`column ${column}: `), `${text}: ${first}`);
    assert.equal(shown, `  ${text}`);
    assert.equal(caret.length, column + 2);
  }
  const far = failure(
    compileExpression(`${'state.a || '.repeat(50)}oops || ${'state.a || '.repeat(50)}true`),
  );
  const [, shown = '', caret = ''] = far.message.split('\n');
  assert.equal(shown.slice(caret.length - 1, caret.length + 3), 'oops');
});

test('a condition is true or false, null counts as false, and anything else is an error at its place', () => {
  const holds = (text: string): boolean => success(success(condition(text))(SCOPE));
  assert.equal(holds('state.balance > 6999.5'), true);
  assert.equal(holds('state.gone'), false);
  for (const [text, column] of [
    ['state.balance', 6],
    ['!state.items', 7],
    ['state.closed || agent', 17],
  ] as const) {
    const fault = failure(success(condition(text))(SCOPE));
    assert.equal(fault.code, 'EXPRESSION_INVALID');
    assert.match(fault.message, new RegExp(`^column ${column}: this must be true or false, and is `));
  }
});

test('the length and the depth of an expression are bounded, and that of what it compares is not', () => {
  const inside = (levels: number): string => `${'('.repeat(levels)}1${')'.repeat(levels)}`;
  assert.ok(isRight(compileExpression(inside(MAX_EXPRESSION_DEPTH))));
  assert.match(failure(compileExpression(inside(MAX_EXPRESSION_DEPTH + 1))).message, /levels/);
  assert.match(failure(compileExpression('!'.repeat(MAX_EXPRESSION_DEPTH + 1))).message, /levels/);
  assert.match(failure(compileExpression(' '.repeat(MAX_LENGTH + 1))).message, /more than 4096 characters/);
  assert.equal(valueIn(Array.from({ length: 1_000 }, () => '1').join('+')), 1_000);
  const deep = (): unknown => JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  const compared = success(compileExpression('state == before'))({ state: deep(), before: deep() });
  assert.equal(success(compared), true);
});

/** Also halves of surrogate pairs. */
const ANY = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  fc
    .oneof(
      fc.constantFrom(null, true, false),
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
      fc.string({ unit: ANY }),
      fc.constantFrom('in', 'a b', '__proto__', "'", '"', '\\', '\ud800'),
    )
    .map((value): Expression => ({ kind: 'literal', at: 0, value })),
  fc.constantFrom(...SCOPE_NAMES).map((name): Expression => ({ kind: 'name', at: 0, name })),
);
const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', 'in', '+', '-', '*', '/', '%', '&&', '||'] as const;
const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }).map((items): Expression => ({ kind: 'list', at: 0, items })),
    fc.tuple(tie('tree'), tie('tree')).map(([of, key]): Expression => ({ kind: 'part', at: 0, of, key })),
    fc
      .tuple(fc.constantFrom(...(Object.keys(FUNCTIONS) as FunctionName[])), tie('tree'), tie('tree'))
      .map(([name, a, b]): Expression => {
        return { kind: 'call', at: 0, name, args: FUNCTIONS[name].arity === 1 ? [a] : [a, b] };
      }),
    fc
      .tuple(fc.constantFrom('!' as const, '-' as const), tie('tree'))
      .map(([operator, of]): Expression => ({ kind: 'unary', at: 0, operator, of })),
    fc
      .tuple(fc.constantFrom(...OPERATORS), tie('tree'), tie('tree'))
      .map(([operator, left, right]): Expression => ({ kind: 'binary', at: 0, operator, left, right })),
  ),
}));

const withoutPlaces = (expression: Expression): unknown =>
  JSON.parse(JSON.stringify(expression, (key, value) => (key === 'at' ? undefined : value)));

test('an expression that is printed and read again is the same expression', () => {
  fc.assert(
    fc.property(tree, (expression) => {
      const text = printExpression(expression);
      fc.pre(text.length <= MAX_LENGTH);
      assert.deepEqual(withoutPlaces(success(parseExpression(text))), withoutPlaces(expression), text);
    }),
    { numRuns: 2_000 },
  );
});

const FRAGMENTS = [
  'state',
  '.',
  '[',
  ']',
  '(',
  ')',
  '"',
  "'",
  '\\',
  '1',
  'e',
  '+',
  '-',
  '!',
  '=',
  '<',
  '&&',
  '||',
];
const anyText = fc.oneof(
  fc.string({ unit: ANY, maxLength: 60 }),
  fc
    .array(fc.constantFrom(...FRAGMENTS, ' in ', 'len', ',', 'x'), { maxLength: 40 })
    .map((all) => all.join('')),
);

test('no text makes an expression throw, and no value that it meets does', () => {
  fc.assert(
    fc.property(anyText, fc.jsonValue(), (text, state) => {
      const compiled = compileExpression(text);
      if (isLeft(compiled)) assert.equal(compiled.left.code, 'EXPRESSION_INVALID');
      else compiled.right({ state });
    }),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(tree, fc.jsonValue(), fc.jsonValue(), (expression, state, event) => {
      const text = printExpression(expression);
      fc.pre(text.length <= MAX_LENGTH);
      const value = success(compileExpression(text))({ state, before: state, event, agent: 'a', seq: 1 });
      if (isLeft(value)) assert.equal(value.left.code, 'EXPRESSION_INVALID');
      else assert.notEqual(JSON.stringify(value.right), undefined);
    }),
    { numRuns: 1_000 },
  );
});
