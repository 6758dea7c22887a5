import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unwantedWords } from '../docs/unwanted-words.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { sourceFiles } from './source-files.js';

/** Comments without their signs: a sentence then goes over the end of a line as it reads. Lines stay lines. */
const withoutSigns = (text: string): string => text.replaceAll(/^[ \t]*(?:\/\*\*?|\*\/?|\/\/)/gm, '');

const unwantedIn = (path: string, text: string): readonly string[] => unwantedWords(path, withoutSigns(text));

const product = sourceFiles(PROJECT_ROOT).filter(({ path }) => /^(?!test\/|build\/)\w+\/.*\.ts$/.test(path));

describe('the prose of the product code: comments, messages and help', () => {
  it('has no word that docs/STYLE.md forbids', () => {
    assert.ok(product.length > 500);
    assert.deepEqual(
      product.flatMap(({ path, text }) => unwantedIn(path, text)),
      [],
    );
  });

  it('a forbidden word is found in comments, over the end of a line, and in messages', () => {
    const text = "/**\n * A thread of\n * its own.\n */\nthrow new Error('it begins anew');\n// whoever\n";
    assert.deepEqual(unwantedIn('a.ts', text), ['a.ts:2: of\n its own', 'a.ts:5: anew', 'a.ts:6: whoever']);
  });

  it('no comment is longer than 120 characters', () => {
    const long = product.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, at) =>
          line.length > 120 && /^\s*(?:\/\*\*|\*|\/\/) /.test(line) && !line.includes('biome-ignore')
            ? [`${path}:${at + 1}`]
            : [],
        ),
    );
    assert.deepEqual(long, []);
  });
});
