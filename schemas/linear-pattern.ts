import { RE2JS } from 're2js';
import { PatternProblem, toRe2 } from './pattern-text.js';
import { spendSteps } from './work-budget.js';

/** A pattern of a schema. Its match takes time that grows linearly with the text, whatever the pattern is. */
export interface LinearPattern {
  /** Throws TooMuchWork if the check of the value has used up its time. */
  readonly test: (text: string) => boolean;
}

interface Compiled extends LinearPattern {
  /** The most steps for each character. */
  readonly size: number;
}

const compile = (pattern: string): Compiled => {
  // A text that is no pattern of JavaScript is no pattern of JSON Schema, even if RE2 could read it.
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

const MAX_KNOWN = 1_000;
const known = new Map<string, Compiled>();

/** Each pattern is made once: a manifest is judged, its schema is compiled, and its problems are looked for. */
const compileOnce = (pattern: string): Compiled => {
  const before = known.get(pattern);
  if (before !== undefined) return before;
  const made = compile(pattern);
  if (known.size < MAX_KNOWN) known.set(pattern, made);
  return made;
};

/** The reason why a pattern cannot be used, to print after its place; otherwise the most steps for each character. */
export const patternSize = (pattern: string): { readonly size: number } | { readonly problem: string } => {
  try {
    return { size: compileOnce(pattern).size };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof PatternProblem) return { problem: message };
    return { problem: `cannot be matched as a pattern: ${message.slice(0, 500)}` };
  }
};

let areOurs = false;

/** Compiles schemas of ours: each of their patterns is compiled when a text meets it first, and most never are. */
export const withOurPatterns = <A>(work: () => A): A => {
  areOurs = true;
  try {
    return work();
  } finally {
    areOurs = false;
  }
};

/**
 * The matcher of compiled schemas, in place of `RegExp`. Throws if a pattern cannot be compiled. All patterns of ours
 * can: test/schemas/json-schemas.test.ts compiles them.
 */
export const linearPattern = (pattern: string): LinearPattern =>
  areOurs ? { test: (text) => compileOnce(pattern).test(text) } : compileOnce(pattern);
