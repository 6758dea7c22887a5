import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { nameSourcePlaces, withSourcePlaces } from './source-places.js';

describe('the places of a stack', () => {
  it('are those of the sources, also of the causes', () => {
    const cause = new Error('inner');
    const error = new Error('outer', { cause });
    nameSourcePlaces(error);
    for (const { stack = '' } of [error, cause])
      assert.match(stack, /test\/runner\/source-places\.test\.ts:\d+:\d+/);
    assert.match(error.stack ?? '', /source-places\.test\.ts:9:19\b/);
  });

  it('stay as they are where no source is known', () => {
    const stack = `Error: a\n    at one (/no/such/file.js:1:2)\n    at node:internal/a:3:4 ${basename('x')}`;
    assert.equal(withSourcePlaces(stack), stack);
    nameSourcePlaces('no error');
  });
});
