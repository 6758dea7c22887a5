import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFoldedBy, namesCode, whyForeign } from '../../../store/snapshots/folded-elsewhere.js';

const manifest = { version: '1.0.0', schema: 2 };
const log = { logId: 'one', lastSeq: 10 };
const at = { seq: 10, logId: 'one' };

test('snapshots are of the code whose digest they bear', () => {
  const code = { manifest, code: 'aa' };
  const position = { ...at, ...namesCode(code) };
  assert.ok(isFoldedBy(position, code));
  assert.equal(whyForeign(position, log, code), undefined);
  assert.ok(!isFoldedBy(position, { manifest, code: 'bb' }));
  assert.match(
    whyForeign(position, log, { manifest, code: 'bb' }) ?? '',
    /folded by other code, of the same version/,
  );
  assert.ok(!isFoldedBy(position, { manifest: { ...manifest, schema: 3 }, code: 'aa' }));
});

test('files of before digests were written are folded once more, and are read as before where no digest is known', () => {
  const old = { ...at, version: '1.0.0', schema: 2 };
  assert.ok(!isFoldedBy(old, { manifest, code: 'aa' }));
  assert.ok(isFoldedBy(old, { manifest }));
  assert.equal(whyForeign(old, log, { manifest }), undefined);
});
