import assert from 'node:assert/strict';
import { test } from 'node:test';
import { terminal } from '../../bin/output/terminal.js';

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
