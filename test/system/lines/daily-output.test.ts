import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DailyOutput } from '../../../system/lines/daily-output.js';

const DAY_MS = 86_400_000;

test('no line is left out silently: those that are shown and those that are counted are all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 })),
      fc.integer({ min: 0, max: 300 }),
      (lines, maxBytes) => {
        let nowMs = 0;
        const said: string[] = [];
        const output = new DailyOutput({ maxBytes, say: (line) => said.push(line), now: () => nowMs });
        for (const line of lines) output.line(line);
        nowMs = DAY_MS;
        output.line('the next day');
        const shown = said.filter((line) => !line.startsWith('it printed more than '));
        const [, counted = '0'] = / (\d+) lines? \(.*\) left out in all$/.exec(said.at(-2) ?? '') ?? [];
        const today = shown.at(-1) === 'the next day' ? shown.slice(0, -1) : shown;
        assert.equal(today.length + Number(counted), lines.length);
        assert.deepEqual(today, lines.slice(0, today.length));
        const bytes = today.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
        assert.ok(bytes <= maxBytes);
      },
    ),
  );
});

test('the first line that is left out is reported at once, then the tenth', () => {
  const said: string[] = [];
  const output = new DailyOutput({ maxBytes: 10, say: (line) => said.push(line), now: () => 0 });
  for (let i = 0; i < 12; i++) output.line('12345');
  assert.deepEqual(said, [
    '12345',
    'it printed more than 10 B within 24 hours: 1 line (6 B) left out so far',
    'it printed more than 10 B within 24 hours: 10 lines (60 B) left out so far',
  ]);
});
