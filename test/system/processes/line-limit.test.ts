import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineLimit } from '../../../system/lines/line-limit.js';

test('lines above the limit are counted, and none is lost without a word', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (lines, burst) => {
      const said: string[] = [];
      const limit = new LineLimit({ burst, perSecond: 0, say: (line) => said.push(line) });
      for (const line of lines) limit.line(line);
      const passed = said.length;
      limit.flush();
      limit.flush();
      assert.deepEqual(said.slice(0, passed), lines.slice(0, burst));
      const left = lines.length - passed;
      assert.deepEqual(
        said.slice(passed),
        left === 0 ? [] : [`${left} more lines were left out; the last one: ${lines.at(-1)}`],
      );
    }),
  );
});

test('a line is cut where it is too long', () => {
  const said: string[] = [];
  const limit = new LineLimit({ burst: 1, perSecond: 0, maxCharacters: 3, say: (line) => said.push(line) });
  limit.line('abcdef');
  assert.deepEqual(said, ['abc …']);
});
