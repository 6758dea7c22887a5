import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainWords } from './plain-words.js';

describe('the words of a command', () => {
  it('are known where no shell does anything with them', () => {
    assert.deepEqual(plainWords('npx tallystick status --data ./a'), [
      'npx',
      'tallystick',
      'status',
      '--data',
      './a',
    ]);
    assert.deepEqual(plainWords(`call a.b '{"amount":5, "to":"$x"}' --agent al`), [
      'call',
      'a.b',
      '{"amount":5, "to":"$x"}',
      '--agent',
      'al',
    ]);
    assert.deepEqual(plainWords(`a --in='b c'd`), ['a', '--in=b cd']);
  });

  it('are left to a shell where it has something to do', () => {
    for (const command of [
      'a | head -1',
      'a > file',
      'a && b',
      'a *.ts',
      'a "$b"',
      'a `b`',
      'A=1 a',
      "a 'open",
      'a # remark',
      'a ~/b',
      'a !b',
      'a {b,c}',
      'a \\\nb',
    ])
      assert.equal(plainWords(command), undefined, command);
  });
});
