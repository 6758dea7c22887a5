import { Readable } from 'node:stream';
import { spec, type TestEvent } from 'node:test/reporters';

const isClosingLine = (event: TestEvent): boolean =>
  event.type === 'test:diagnostic' &&
  event.data.nesting === 0 &&
  /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(event.data.message);

async function* withoutClosingLines(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of source) if (!isClosingLine(event)) yield event;
}

/** Node's `spec` reporter without the totals of each file: the runner prints one total, at the end. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutClosingLines(source)).pipe(new spec()) as AsyncIterable<string>;
}
