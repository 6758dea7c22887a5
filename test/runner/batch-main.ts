/**
 * The process of a batch: `node batch-main.js OUTCOMES COMPILED-FILE…` runs test files, each when the one before it has ended and
 * its outcomes are in the file OUTCOMES. A later file that ends the process takes nothing from those before it.
 */
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../support/wait-for.js';
import { batchState } from './batch-state.js';
import { END_OF_FILE } from './end-of-file.js';

const [outcomes = '', ...paths] = process.argv.slice(2);

const endsWritten = (): number => readFileSync(outcomes, 'utf8').split('{"sinceStart":').length - 1;

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
  if (batchState.filesLeft > 0) await waitFor('the outcomes to be written', () => endsWritten() > index);
}
