import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseManifest } from '../../schemas/manifest.js';
import { failure, success } from '../support/either.js';
import { Seeded } from '../support/seeded.js';

const manifest = (more: object): unknown => ({
  name: 'shop',
  version: '1.0.0',
  description: 'Sells.',
  actions: { sell: { input: { properties: { card: { sensitive: true } } }, output: {} } },
  events: {},
  start: { entry: './index.js' },
  ...more,
});

describe('the index of a manifest', () => {
  test('a field that is hidden has no index, however its path is written', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Seeded(seed);
    const parts = ['card', 'number', 'owner', 'orders'];
    for (let i = 0; i < 500; i++) {
      const path = Array.from({ length: random.int(1, 3) }, () => random.pick([...parts, '*']));
      const field = Array.from({ length: random.int(1, 3) }, () => random.pick(parts));
      // The one hides the other, or a part of it.
      const isHidden = path.every((part, at) => at >= field.length || part === '*' || part === field[at]);
      const parsed = parseManifest(manifest({ index: [field.join('.')], sensitive: [path.join('.')] }));
      const said = `seed ${seed}: ${path.join('.')} and ${field.join('.')}`;
      if (isHidden)
        assert.match(failure(parsed).message, /index\/0 names a field that `sensitive` hides/, said);
      else success(parsed);
    }
  });

  test('a module that encrypts has none, nor has a program that keeps its states itself', () => {
    const encrypting = failure(parseManifest(manifest({ index: ['status'], encrypt: true })));
    assert.match(encrypting.message, /index would hold values of states in the clear/);
    const other = failure(parseManifest(manifest({ index: ['status'], start: { command: ['x'] } })));
    assert.match(other.message, /index is for JavaScript modules/);
  });

  test('an entry that is no path is refused', () => {
    for (const field of ['', '.', 'a.', 'a..b', '*', 'a.*', 'x'.repeat(65), 7])
      assert.equal(failure(parseManifest(manifest({ index: [field] }))).code, 'MANIFEST_INVALID', `${field}`);
    for (const index of [[], ['a', 'a'], Array.from({ length: 21 }, (_, i) => `f${i}`)])
      assert.equal(failure(parseManifest(manifest({ index }))).code, 'MANIFEST_INVALID');
    success(parseManifest(manifest({ index: ['status', 'größe.x', 'a b.c-d'] })));
  });
});
