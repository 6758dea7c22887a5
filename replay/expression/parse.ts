import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import {
  type BinaryOperator,
  COMPARING,
  type Expression,
  PRECEDENCE,
  SCOPE_NAMES,
  type ScopeName,
} from './ast.js';
import { FUNCTIONS, isFunctionName } from './functions.js';
import { problemAt, refuse } from './problem.js';
import { type Token, tokenize } from './tokens.js';

export const MAX_LENGTH = 4_096;
/** Parentheses, indexes, arguments and signs inside each other. */
export const MAX_EXPRESSION_DEPTH = 64;

const LITERALS: Readonly<Record<string, null | boolean>> = { null: null, true: true, false: false };

const isOperator = (text: string): text is BinaryOperator => Object.hasOwn(PRECEDENCE, text);
const isScopeName = (text: string): text is ScopeName => (SCOPE_NAMES as readonly string[]).includes(text);

/** One reading of one text, by recursive descent. */
class ExpressionParser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(private readonly text: string) {
    this.#tokens = tokenize(text);
  }

  all(): Expression {
    if (this.#isEnd) this.#refuse('there is no expression');
    const expression = this.#binary(1);
    if (!this.#isEnd) this.#refuse(`${this.#shown} cannot follow here`);
    return expression;
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  get #isEnd(): boolean {
    return this.#token.kind === 'end';
  }

  get #shown(): string {
    const { kind, text } = this.#token;
    return kind === 'end' ? 'the end' : kind === 'string' ? 'a string' : text;
  }

  #refuse(what: string): never {
    return refuse(this.text, this.#token.at, what);
  }

  #take(): Token {
    const token = this.#token;
    this.#next += 1;
    return token;
  }

  #isSign(text: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === text;
  }

  #expect(text: string): void {
    if (!this.#isSign(text)) this.#refuse(`${text} is missing before ${this.#shown}`);
    this.#next += 1;
  }

  #deeper<T>(read: () => T): T {
    if (this.#depth === MAX_EXPRESSION_DEPTH)
      this.#refuse(`more than ${MAX_EXPRESSION_DEPTH} levels inside each other`);
    this.#depth += 1;
    const found = read();
    this.#depth -= 1;
    return found;
  }

  /** Operators that bind at least so tightly, from left to right. */
  #binary(least: number): Expression {
    let left = this.#unary();
    for (let compared = false; ; ) {
      const { kind, text, at } = this.#token;
      if ((kind !== 'sign' && kind !== 'word') || !isOperator(text)) return left;
      const precedence = PRECEDENCE[text];
      if (precedence < least) return left;
      if (precedence === COMPARING) {
        if (compared) this.#refuse('comparisons do not chain: join two by &&, or use parentheses');
        compared = true;
      }
      this.#next += 1;
      left = { kind: 'binary', at, operator: text, left, right: this.#binary(precedence + 1) };
    }
  }

  #unary(): Expression {
    if (!this.#isSign('!') && !this.#isSign('-')) return this.#parts(this.#primary());
    const { at, text } = this.#take();
    const of = this.#deeper(() => this.#unary());
    return { kind: 'unary', at, operator: text as '!' | '-', of };
  }

  #parts(whole: Expression): Expression {
    let of = whole;
    for (;;) {
      const { at } = this.#token;
      if (this.#isSign('.')) {
        this.#next += 1;
        const { kind, text, at: keyAt } = this.#token;
        if (kind !== 'word') this.#refuse(`a name is missing before ${this.#shown}`);
        this.#next += 1;
        of = { kind: 'part', at, of, key: { kind: 'literal', at: keyAt, value: text } };
      } else if (this.#isSign('[')) {
        this.#next += 1;
        const key = this.#deeper(() => this.#binary(1));
        this.#expect(']');
        of = { kind: 'part', at, of, key };
      } else return of;
    }
  }

  #primary(): Expression {
    const { kind, at, text, value } = this.#token;
    if (kind === 'number' || kind === 'string') {
      this.#next += 1;
      return { kind: 'literal', at, value };
    }
    if (kind === 'word') return this.#word();
    if (this.#isSign('(')) {
      this.#next += 1;
      const inside = this.#deeper(() => this.#binary(1));
      this.#expect(')');
      return inside;
    }
    if (this.#isSign('[')) {
      this.#next += 1;
      return { kind: 'list', at, items: this.#list(']') };
    }
    return this.#refuse(kind === 'end' ? 'something is missing here' : `${text} cannot stand here`);
  }

  #word(): Expression {
    const { at, text } = this.#token;
    const isCall = this.#tokens[this.#next + 1]?.text === '(';
    if (!isCall && Object.hasOwn(LITERALS, text)) {
      this.#next += 1;
      return { kind: 'literal', at, value: LITERALS[text] as null | boolean };
    }
    if (isCall) return this.#call();
    if (!isScopeName(text)) this.#refuse(`there is no ${text} here, but ${SCOPE_NAMES.join(', ')}`);
    this.#next += 1;
    return { kind: 'name', at, name: text as ScopeName };
  }

  #call(): Expression {
    const { at, text: name } = this.#token;
    if (!isFunctionName(name)) {
      return this.#refuse(`there is no function ${name}, but ${Object.keys(FUNCTIONS).join(', ')}`);
    }
    this.#next += 2;
    const args = this.#list(')');
    const { arity } = FUNCTIONS[name];
    if (args.length !== arity) refuse(this.text, at, `${name} takes ${arity}, and has ${args.length} here`);
    return { kind: 'call', at, name, args };
  }

  #list(end: ')' | ']'): readonly Expression[] {
    const items: Expression[] = [];
    while (!this.#isSign(end)) {
      if (items.length > 0) this.#expect(',');
      items.push(this.#deeper(() => this.#binary(1)));
    }
    this.#next += 1;
    return items;
  }
}

/** Reads an expression; EXPRESSION_INVALID. */
export const parseExpression = (text: string): Either<Fault, Expression> => {
  if (text.length > MAX_LENGTH) {
    return left(problemAt(text, MAX_LENGTH, `more than ${MAX_LENGTH} characters`));
  }
  try {
    return right(new ExpressionParser(text).all());
  } catch (thrown) {
    if (thrown instanceof FaultError) return left(thrown.fault);
    return left(toFault(thrown, 'EXPRESSION_INVALID'));
  }
};
