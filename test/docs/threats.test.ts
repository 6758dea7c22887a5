import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';

interface Proof {
  readonly threat: string;
  readonly file: string;
  readonly title: string;
}

const ROW =
  /^\| (?<threat>[^|]+) \| [^|]+ \| \[`(?<file>[^`]+)`\]\(\.\.\/\.\.\/(?<link>[^)]+)\): `(?<title>[^`]+)` \|$/;

/** What is wrong with a row: its file or its test is not there. */
const problemOf = ({ file, title }: Proof): string | undefined => {
  const path = join(PROJECT_ROOT, file);
  if (!existsSync(path)) return `there is no ${file}`;
  const titles = ["'", '"', '`'].flatMap((quote) =>
    ['it', 'test', 'InDeep'].map((word) => `${word}(${quote}${title}${quote}`),
  );
  // A long title stands on the line after the parenthesis.
  const text = readFileSync(path, 'utf8').replaceAll(/(it|test|InDeep)\(\s+/g, '$1(');
  return titles.some((each) => text.includes(each)) ? undefined : `${file} has no test "${title}"`;
};

const page = readFileSync(join(PROJECT_ROOT, 'docs', 'internals', 'threats.md'), 'utf8');
const lines = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| threat '));

describe('the table of threats', () => {
  it('names a file and a test in each row', () => {
    assert.ok(lines.length >= 30);
    assert.deepEqual(
      lines.filter(
        (line) => ROW.exec(line)?.groups?.file !== ROW.exec(line)?.groups?.link || !ROW.test(line),
      ),
      [],
    );
  });

  it('names tests that are there', () => {
    const proofs = lines.map((line) => ROW.exec(line)?.groups as unknown as Proof);
    assert.deepEqual(
      proofs.map(problemOf).filter((problem) => problem !== undefined),
      [],
    );
  });

  it('would find a test that is gone, and a file that is gone', () => {
    assert.match(
      problemOf({ threat: 'x', file: 'test/docs/threats.test.ts', title: 'no such test' }) ?? '',
      /has no test/,
    );
    assert.match(problemOf({ threat: 'x', file: 'test/no.test.ts', title: 'x' }) ?? '', /there is no/);
  });
});
