import { refuse } from './problem.js';

export interface Token {
  readonly kind: 'number' | 'string' | 'word' | 'sign' | 'end';
  /** Where it begins in the text, from 0. */
  readonly at: number;
  /** A sign or a word as it stands there. */
  readonly text: string;
  /** Of a number or a string. */
  readonly value: number | string;
}

// Alternatives that no input can make slow: each begins with a character that no other one begins with.
const TOKEN =
  /\s*(?:(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_$][\w$]*)|(?<sign>[=!<>]=|&&|\|\||[-+*/%<>!()[\].,])|(?<quote>["']))/y;
const BLANKS = /\s*/y;
const PLAIN = /[^"'\\]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '/': '/',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

const HINTS: Readonly<Record<string, string>> = {
  '=': '= is no operator; == compares',
  '&': '& is no operator; && is',
  '|': '| is no operator; || is',
};

/** Reads a string from behind its quote; the text behind its end. */
const readString = (text: string, quoteAt: number): { readonly value: string; readonly end: number } => {
  const quote = text[quoteAt];
  let [value, at] = ['', quoteAt + 1];
  while (at < text.length) {
    PLAIN.lastIndex = at;
    value += PLAIN.exec(text)?.[0] ?? '';
    at = PLAIN.lastIndex;
    const next = text[at];
    if (next === quote) return { value, end: at + 1 };
    if (next === '\\') {
      const letter = text[at + 1] ?? '';
      const hex = /^u([0-9a-fA-F]{4})/.exec(text.slice(at + 1, at + 6))?.[1];
      if (hex !== undefined) value += String.fromCharCode(Number.parseInt(hex, 16));
      else if (Object.hasOwn(ESCAPES, letter)) value += ESCAPES[letter];
      else refuse(text, at, `\\${letter} is no escape of a string`);
      at += hex === undefined ? 2 : 6;
    } else {
      value += next ?? '';
      at += 1;
    }
  }
  return refuse(text, quoteAt, 'the string has no end');
};

/** The tokens of an expression, the last of kind `end`. Throws EXPRESSION_INVALID. */
export const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const { number, word, sign, quote } = TOKEN.exec(text)?.groups ?? {};
    const found = number ?? word ?? sign ?? quote;
    if (found === undefined) {
      BLANKS.lastIndex = at;
      BLANKS.exec(text);
      const where = BLANKS.lastIndex;
      const odd = text.codePointAt(where);
      if (odd === undefined) return [...tokens, { kind: 'end', at: where, text: '', value: '' }];
      const shown = String.fromCodePoint(odd);
      refuse(text, where, HINTS[shown] ?? `${JSON.stringify(shown)} has no meaning here`);
    } else {
      const end = TOKEN.lastIndex;
      const start = end - found.length;
      at = end;
      if (quote !== undefined) {
        const string = readString(text, start);
        at = string.end;
        tokens.push({ kind: 'string', at: start, text: text.slice(start, at), value: string.value });
      } else if (number !== undefined) {
        const value = Number(number);
        if (!Number.isFinite(value)) refuse(text, start, `${number} is more than a number can be`);
        tokens.push({ kind: 'number', at: start, text: number, value });
      } else tokens.push({ kind: word === undefined ? 'sign' : 'word', at: start, text: found, value: '' });
    }
  }
};
