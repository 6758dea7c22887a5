import { RE2JS } from 're2js';
import { PatternProblem, toRe2 } from './pattern-text.js';
import { spendSteps } from './work-budget.js';

/** A pattern of a schema, as it is matched: in time that grows with the text and never faster, whatever the pattern. */
export interface LinearPattern {
  /** Throws TooMuchWork where the check of the value has no time left for it. */
  readonly test: (text: string) => boolean;
}

interface Compiled extends LinearPattern {
  /** Steps for each character, at most. */
  readonly size: number;
}

const compile = (pattern: string): Compiled => {
  // What is no pattern of JavaScript is none of JSON Schema, also where RE2 could read it.
  new RegExp(pattern, 'u');
  const parts = toRe2(pattern);
  const [must, mustNot] = [parts.must, parts.mustNot].map((each) =>
    each.map((text) => RE2JS.compile(text)),
  ) as [RE2JS[], RE2JS[]];
  const size = [...must, ...mustNot].reduce((sum, each) => sum + each.programSize(), 0);
  return {
    size,
    test: (text) => {
      spendSteps(text.length, size);
      return must.every((each) => each.test(text)) && !mustNot.some((each) => each.test(text));
    },
  };
};

/** Why a pattern cannot be used, in words that follow its place; else how many steps a character takes at most. */
export const patternSize = (pattern: string): { readonly size: number } | { readonly problem: string } => {
  try {
    return { size: compile(pattern).size };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof PatternProblem) return { problem: message };
    return { problem: `is no pattern that can be matched: ${message.slice(0, 500)}` };
  }
};

const MAX_KNOWN = 1_000;
const known = new Map<string, LinearPattern>();

/** What a compiled schema matches with, in place of `RegExp`. Throws where a pattern cannot be compiled. */
export const linearPattern = (pattern: string): LinearPattern => {
  const before = known.get(pattern);
  if (before !== undefined) return before;
  const made = compile(pattern);
  // Who looks for what is wrong makes the patterns of a schema again each time.
  if (known.size < MAX_KNOWN) known.set(pattern, made);
  return made;
};
