import { Readable } from 'node:stream';
import { spec, type TestEvent } from 'node:test/reporters';
import { FILE_MARK, isEndOfFile } from './end-of-file.js';
import { nameSourcePlaces } from './source-places.js';

const isClosingLine = (event: TestEvent): boolean =>
  event.type === 'test:diagnostic' &&
  event.data.nesting === 0 &&
  /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(event.data.message);

/**
 * Node's `spec` reporter without the totals of each file: the runner prints one total, at the end. Each file of a batch has its own
 * report, up to a mark.
 */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const events = source[Symbol.asyncIterator]();
  const state = { isAtEnd: false };
  async function* ofFile(): AsyncGenerator<TestEvent> {
    for (;;) {
      const { value: event, done } = await events.next();
      if (done === true) {
        state.isAtEnd = true;
        return;
      }
      if (event.type === 'test:pass' && isEndOfFile(event)) return;
      if (event.type === 'test:fail') nameSourcePlaces(event.data.details.error);
      if (!isClosingLine(event) && !isEndOfFile(event)) yield event;
    }
  }
  for (;;) {
    yield* Readable.from(ofFile()).pipe(new spec()) as AsyncIterable<string>;
    if (state.isAtEnd) return;
    yield FILE_MARK;
  }
}
