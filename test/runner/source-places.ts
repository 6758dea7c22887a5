import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, resolve } from 'node:path';

/** A place in compiled code, as a stack has it. */
const PLACE = /(?:file:\/\/)?(\/[^\s():]+\.js):(\d+):(\d+)/g;

const maps = new Map<string, SourceMap | undefined>();

const mapOf = (file: string): SourceMap | undefined => {
  if (!maps.has(file)) {
    try {
      maps.set(file, new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload));
    } catch {
      // Code that nobody compiled is its source.
      maps.set(file, undefined);
    }
  }
  return maps.get(file);
};

/**
 * A stack with the places of the sources. Node's `--enable-source-maps` does the same, and reads the map of each file that it loads:
 * a twentieth of what a test file costs, for stacks that a run without failures never prints.
 */
export const withSourcePlaces = (stack: string): string =>
  stack.replaceAll(PLACE, (place: string, file: string, line: string, column: string) => {
    const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    return entry === undefined || !('originalSource' in entry)
      ? place
      : `${resolve(dirname(file), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });

/** An error may have another as its cause, and the test runner wraps what a test threw. */
const MAX_CAUSES = 10;

/** The same for the stacks of an error and its causes. */
export const nameSourcePlaces = (thrown: unknown): void => {
  let error = thrown;
  for (let i = 0; i < MAX_CAUSES && error instanceof Error; i++) {
    const { stack } = error;
    if (typeof stack === 'string')
      Object.defineProperty(error, 'stack', { value: withSourcePlaces(stack), configurable: true });
    error = error.cause;
  }
};
