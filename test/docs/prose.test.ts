import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { documents } from './documents.js';
import { unwantedWords } from './unwanted-words.js';

/** As many lines, so that a finding has the line of the document. */
const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');

const FENCED = /^[ \t]*```[\s\S]*?^[ \t]*```$/gm;

/** Generated parts have the texts of the program, and code is not prose. */
const withoutCode = (text: string): string =>
  text
    .replaceAll(/^<!-- generated [\s\S]*?^<!-- end of generated -->/gm, blank)
    .replaceAll(FENCED, blank)
    .replaceAll(/`[^`]*`/g, blank);

const unwantedIn = (path: string, text: string): readonly string[] => unwantedWords(path, withoutCode(text));

describe('the prose of documents', () => {
  // STYLE.md shows the words that it forbids.
  const all = documents().filter(({ path }) => path !== 'docs/STYLE.md');

  it('has no word that docs/STYLE.md forbids', () => {
    assert.deepEqual(
      all.flatMap(({ path, text }) => unwantedIn(path, text)),
      [],
    );
  });

  it('is read as prose: a forbidden word is found in a sentence, not in code', () => {
    const text = 'It begins anew.\n\n```sh\necho anew\n```\n\n`anew` and\nwhoever calls\n';
    assert.deepEqual(unwantedIn('a.md', text), ['a.md:1: anew', 'a.md:8: whoever']);
  });
});
