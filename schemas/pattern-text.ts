/** A pattern that the linear engine cannot run; the reason is printed after the pattern's place. */
export class PatternProblem extends Error {
  override readonly name = 'PatternProblem';
}

const refuse = (message: string): never => {
  throw new PatternProblem(message);
};

const LOOKS =
  'looks ahead or behind, other than directly after a first ^, which cannot be matched in linear time: use `not` or `allOf`';

const ANY = '[\\x00-\\x{10FFFF}]';
const NOTHING = '[^\\x00-\\x{10FFFF}]';
const NOT_LINE_END = '[^\\n\\r\\x{2028}\\x{2029}]';
/** The characters of `\s` in JavaScript, which has more than ASCII, and the others. */
const SPACES =
  '\\t-\\r\\x20\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const NO_SPACES =
  '\\x00-\\x08\\x0e-\\x1f\\x21-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}' +
  '\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10FFFF}';
const LETTERS = new Set(['d', 'D', 'w', 'W', 't', 'n', 'v', 'f', 'r']);
const SCRIPT = /^(?:Script|sc)=(\w+)$/;
const CATEGORY = /^(?:General_Category=|gc=)?([A-Z][a-z&]?)$/;

const codePoint = (value: number): string => `\\x{${value.toString(16)}}`;

/**
 * Writes a pattern of JSON Schema (JavaScript with the flag `u`) in the syntax of RE2, so that it matches the same
 * texts. Groups capture nothing, because only the match itself counts. The pattern must be valid.
 */
class Translation {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#chars = [...pattern];
  }

  /** Throws {@link PatternProblem}. */
  whole(): string {
    let text = '';
    while (this.#at < this.#chars.length) text += this.#one();
    return text;
  }

  #next(): string {
    const char = this.#chars[this.#at] ?? '';
    this.#at += 1;
    return char;
  }

  #startsWith(text: string): boolean {
    return this.#chars.slice(this.#at, this.#at + text.length).join('') === text;
  }

  #one(): string {
    const char = this.#next();
    if (char === '.') return NOT_LINE_END;
    if (char === '(') return this.#group();
    if (char === '[') return this.#class();
    if (char === '\\') return this.#escape(false);
    return char;
  }

  #group(): string {
    if (!this.#startsWith('?')) return '(?:';
    // Matches nothing. Schemas write "no property" this way.
    if (this.#startsWith('?!)')) {
      this.#at += 3;
      return NOTHING;
    }
    if (this.#startsWith('?:')) {
      this.#at += 2;
      return '(?:';
    }
    const isLook = ['?=', '?!', '?<=', '?<!'].some((text) => this.#startsWith(text));
    if (isLook) return refuse(LOOKS);
    if (!this.#startsWith('?<')) return refuse('sets flags inside, which is not supported');
    while (this.#next() !== '>');
    return '(?:';
  }

  #class(): string {
    const negated = this.#startsWith('^');
    if (negated) this.#at += 1;
    if (this.#startsWith(']')) {
      this.#at += 1;
      return negated ? ANY : NOTHING;
    }
    let text = '';
    for (let char = this.#next(); char !== ']'; char = this.#next()) {
      if (char === '\\') text += this.#escape(true);
      else text += char === '-' || /[^!-~]|\w/.test(char) ? char : `\\${char}`;
    }
    return `[${negated ? '^' : ''}${text}]`;
  }

  #escape(inClass: boolean): string {
    const char = this.#next();
    if (LETTERS.has(char)) return `\\${char}`;
    if (char === 's') return inClass ? SPACES : `[${SPACES}]`;
    if (char === 'S') return inClass ? NO_SPACES : `[${NO_SPACES}]`;
    if (char === 'b') return inClass ? '\\x08' : '\\b';
    if (char === 'B') return '\\B';
    if (char === '0') return '\\x00';
    if (char === 'c') return codePoint(this.#next().charCodeAt(0) % 32);
    if (char === 'x') return codePoint(this.#hex(2));
    if (char === 'u') return this.#unicode();
    if (char === 'p' || char === 'P') return this.#property(char);
    if (char === 'k' || /[1-9]/.test(char))
      return refuse('refers back to a group, which cannot be matched in linear time');
    return char === '/' ? char : `\\${char}`;
  }

  #hex(digits: number): number {
    const text = this.#chars.slice(this.#at, this.#at + digits).join('');
    this.#at += digits;
    return Number.parseInt(text, 16);
  }

  #braced(): string {
    this.#at += 1;
    let text = '';
    for (let char = this.#next(); char !== '}'; char = this.#next()) text += char;
    return text;
  }

  #unicode(): string {
    if (this.#startsWith('{')) return codePoint(this.#scalar(Number.parseInt(this.#braced(), 16)));
    const first = this.#hex(4);
    if (first < 0xd800 || first > 0xdbff || !this.#startsWith('\\u')) return codePoint(this.#scalar(first));
    this.#at += 2;
    const second = this.#hex(4);
    if (second < 0xdc00 || second > 0xdfff) return refuse('has half of a surrogate pair');
    return codePoint((first - 0xd800) * 0x400 + (second - 0xdc00) + 0x10000);
  }

  #scalar(value: number): number {
    return value >= 0xd800 && value <= 0xdfff ? refuse('has half of a surrogate pair') : value;
  }

  #property(char: string): string {
    const name = this.#braced();
    const known = CATEGORY.exec(name)?.[1] ?? SCRIPT.exec(name)?.[1];
    return known === undefined
      ? refuse(`names the property ${name}: write a category such as \\p{L} or \\p{Nd}, or \\p{Script=Greek}`)
      : `\\${char}{${known}}`;
  }
}

/** A pattern as several that RE2 can run: all of `must` match, and none of `mustNot`. */
export interface LinearParts {
  readonly must: readonly string[];
  readonly mustNot: readonly string[];
}

/** The end of the group that begins at a place, and whether a `|` follows outside of all groups. */
const scan = (text: string, from: number): { readonly end: number; readonly hasBranches: boolean } => {
  let [depth, inClass, hasBranches] = [0, false, false];
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(') depth += 1;
    else if (char === '|' && depth === 0) hasBranches = true;
    else if (char === ')') {
      depth -= 1;
      if (depth === 0 && text[from] === '(') return { end: at, hasBranches };
    }
  }
  return { end: text.length, hasBranches };
};

/**
 * Splits a pattern at its look-aheads at the beginning, where most patterns have them: `^(?!x)y` is `^y` and not
 * `^x`. Throws {@link PatternProblem} for a pattern that cannot be matched in linear time.
 */
export const toRe2 = (pattern: string): LinearParts => {
  const must: string[] = [];
  const mustNot: string[] = [];
  let rest = pattern;
  while (/^\^\(\?[=!](?!\))/.test(rest)) {
    const { end } = scan(rest, 1);
    const inner = `^(?:${new Translation(rest.slice(4, end)).whole()})`;
    if (rest[3] === '=') must.push(inner);
    else mustNot.push(inner);
    rest = `^${rest.slice(end + 1)}`;
    // In `^(?!x)y|z`, the second branch may begin anywhere.
    if (scan(rest, 0).hasBranches || /^\^[*+?{]/.test(rest)) return refuse(LOOKS);
  }
  return { must: [...must, new Translation(rest).whole()], mustNot };
};
