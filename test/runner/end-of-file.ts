import type { TestEvent } from 'node:test/reporters';

/** The title of the test that stands for the end of a file in a batch. No report shows it. */
export const END_OF_FILE = 'end of the file, for the runner of tests';

export const isEndOfFile = (event: TestEvent): boolean =>
  'data' in event && (event.data as { readonly name?: string }).name === END_OF_FILE;

/** What the spec reporter prints between the files of a batch. */
export const FILE_MARK = '\u0000end of file\u0000\n';
