import assert from 'node:assert/strict';
import { test } from 'node:test';
import { terminal } from '../../bin/output/terminal.js';
import { nextStepLine } from '../../bin/output/output.js';
import { formatTable } from '../../text/table.js';

test('colours are for terminals, unless the environment says otherwise', () => {
  const colour = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean =>
    terminal({ isTTY, columns: 80 }, env).colour;
  assert.equal(colour(true, {}), true);
  assert.equal(colour(false, {}), false);
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }])
    assert.equal(colour(true, env), false);
  assert.equal(colour(true, { NO_COLOR: '' }), true);
  assert.equal(colour(false, { FORCE_COLOR: '1' }), true);
  assert.equal(colour(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), true);
});

test('lines are cut to the width of a terminal, and never in a pipe', () => {
  assert.equal(terminal({ isTTY: true, columns: 132 }, {}).columns, 132);
  assert.equal(terminal({ isTTY: false, columns: 80 }, { FORCE_COLOR: '1' }).columns, undefined);
});

test('COLUMNS counts for a terminal, if it is a number', () => {
  const width = (COLUMNS: string) => terminal({ isTTY: true, columns: 80 }, { COLUMNS }).columns;
  assert.deepEqual(['100', '0', '', 'wide', '-5'].map(width), [100, 80, 80, 80, 80]);
  assert.equal(terminal({ isTTY: false, columns: 80 }, { COLUMNS: '100' }).columns, undefined);
});

test('a table fits the terminal: its widest texts are cut, each cut is marked, and numbers stay whole', () => {
  const heads = ['ID', 'SEQ', 'REASON'];
  const rows = [
    ['a-short-one', '1234567890', 'x'.repeat(90)],
    ['b'.repeat(50), '17', 'short'],
  ];
  for (const room of [30, 40, 60, 90]) {
    const lines = formatTable(heads, rows, { room }).split('\n');
    for (const line of lines) assert.ok(line.length <= room, `${line.length} of ${room}`);
    assert.ok(lines.some((line) => line.includes('…')));
    assert.ok(lines[1]?.includes('1234567890'));
  }
  assert.equal(formatTable(heads, rows, { room: 500 }), formatTable(heads, rows));
  assert.ok(!formatTable(heads, rows).includes('…'));
});

test('an error has its next step on a terminal, and stays one line in a pipe', () => {
  assert.match(
    nextStepLine('MODULE_UNKNOWN', true),
    /^\n {2}next: Look for the name in `tallystick module list`/,
  );
  assert.equal(nextStepLine('MODULE_UNKNOWN', false), '');
  assert.equal(nextStepLine('SOLD_OUT', true), '');
});
