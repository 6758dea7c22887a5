/** The process of a batch: `node batch-main.js COMPILED-FILE…` runs test files, each when the one before it has ended. */
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { batchState } from './batch-state.js';
import { END_OF_FILE } from './end-of-file.js';

const paths = process.argv.slice(2);
for (const [index, path] of paths.entries()) {
  batchState.filesLeft = paths.length - index - 1;
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    it('the file loads', () => {
      throw error;
    });
  }
  // Tests at the top level run one after the other, so this one runs when those of the file have ended.
  await new Promise<void>((resolve) => void it(END_OF_FILE, () => resolve()));
}
