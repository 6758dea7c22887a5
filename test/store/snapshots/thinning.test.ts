import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEEP_ONE_IN, KEEP_RECENT, KEEP_SMALL_BYTES } from '../../../store/snapshots/snapshot-group.js';
import { SnapshotStore } from '../../../store/snapshots/snapshot-store.js';
import { openSnapshotsToRead } from '../../../store/snapshots/snapshot-files.js';
import { SnapshotView } from '../../../store/snapshots/snapshot-value.js';
import { Opening } from '../../../store/lmdb/opening.js';
import { tempDir } from '../../support/temp-dir.js';

test('of old states that were kept, small ones stay, and of large ones one in some', async () => {
  await using dir = tempDir();
  const store = new SnapshotStore(dir.path);
  const position = { seq: 1, logId: 'x', version: '1.0.0', schema: 1 };
  const count = KEEP_RECENT + 20;
  const states = { small: '1'.repeat(KEEP_SMALL_BYTES), large: '1'.repeat(KEEP_SMALL_BYTES + 1) };
  for (let i = 1; i <= count; i++) {
    for (const [agent, state] of Object.entries(states)) {
      const change = { agent, sequences: [i], timeMs: i, state, keep: true };
      store.commit({ changes: [change], position });
    }
  }
  await store.close();
  const opening = new Opening(dir.path);
  const files = openSnapshotsToRead(opening, dir.path);
  const view = new SnapshotView();
  const kept: Record<string, number[]> = { small: [], large: [] };
  for (const { key, value } of files.kept.getRange({})) {
    const [agent, seq] = key as [string, number];
    assert.ok(view.take(value));
    assert.deepEqual(view.sequences(), [seq], 'the sequences of all stay');
    if (view.schema > 0) kept[agent.slice(1)]?.push(seq - 1);
  }
  const all = Array.from({ length: count }, (_, i) => i);
  assert.deepEqual(kept.small, all);
  assert.deepEqual(
    kept.large,
    all.filter((chunk) => chunk % KEEP_ONE_IN === 0 || chunk >= count - KEEP_RECENT),
  );
  await files.root.close();
  await opening.close();
});
