import type { TestEvent } from 'node:test/reporters';
import { isEndOfFile } from './end-of-file.js';
import { NOT_HERE } from './not-here.js';
import { processorSeconds } from './processor-seconds.js';

/** How one test or suite of a file ended; the names of the kinds are those of node's closing lines. */
export interface TestOutcome {
  readonly kind: 'pass' | 'fail' | 'cancelled' | 'skipped' | 'impossible' | 'todo';
  readonly suite: boolean;
  readonly name: string;
  /** Why it did not pass, in its first lines. */
  readonly why?: string;
}

/**
 * The last line of a file: the time since the process began, by the clock and of the processors, with that of the programs that it
 * started. A system without `/proc` knows only the clock.
 */
export interface FileEnd {
  readonly sinceStart: { readonly seconds: number; readonly processorSeconds?: number };
}

export type ReporterLine = TestOutcome | FileEnd;

const WHY_LINES = 20;

const CANCELLED = new Set(['cancelledByParent', 'testAborted', 'testTimeoutFailure']);

const failureType = (error: unknown): string =>
  (error as { failureType?: string } | undefined)?.failureType ?? '';

/** node wraps what a test threw; what a suite says is only that a test of it failed. */
const whyOf = (event: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>): { why?: string } => {
  const { skip } = event.data as { readonly skip?: string | boolean };
  if (typeof skip === 'string') return { why: skip };
  if (event.type === 'test:pass' || event.data.details.type === 'suite') return {};
  const { error } = event.data.details;
  const cause: unknown = error.cause ?? error;
  const text = cause instanceof Error ? cause.message : String(cause);
  return { why: text.split('\n').slice(0, WHY_LINES).join('\n') };
};

const kindOf = (event: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>): TestOutcome['kind'] => {
  const { skip } = event.data as { readonly skip?: string | boolean };
  if (typeof skip === 'string' && skip.startsWith(NOT_HERE)) return 'impossible';
  if (skip !== undefined) return 'skipped';
  if (event.data.todo !== undefined) return 'todo';
  if (event.type === 'test:pass') return 'pass';
  return CANCELLED.has(failureType(event.data.details.error)) ? 'cancelled' : 'fail';
};

const endLine = (): string => {
  const spent = processorSeconds();
  const cost = spent === undefined ? {} : { processorSeconds: spent };
  const end: FileEnd = { sinceStart: { seconds: performance.now() / 1_000, ...cost } };
  return `${JSON.stringify(end)}\n`;
};

/** A reporter of `node:test` for the runner: one JSON line as each test ends, so that a killed file counts so far. */
export default async function* outcomes(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let isBatch = false;
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    if (isEndOfFile(event)) {
      isBatch = true;
      yield endLine();
      continue;
    }
    const { name, details } = event.data;
    const suite = details.type === 'suite';
    const outcome: TestOutcome = { kind: kindOf(event), suite, name, ...whyOf(event) };
    yield `${JSON.stringify(outcome)}\n`;
  }
  if (!isBatch) yield endLine();
}
