import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { Generations } from '../../store/snapshots/generations.js';
import { SnapshotStore } from '../../store/snapshots/snapshot-store.js';
import { byForm } from '../support/form.js';
import { tempDir } from '../support/temp-dir.js';

const MAP_BYTES = 64 * 1024;
const AGENTS = byForm({ short: 2_000, deep: 5_000, full: 20_000 });
const GROUP = 100;

test('I6 snapshots that outgrow the memory that LMDB has mapped are written on, and read by who had them open', async () => {
  await using dir = tempDir();
  const generations = new Generations(join(dir.path, 'snapshots', 'tally'));
  const name = generations.begin();
  const store = new SnapshotStore(generations.path(name), MAP_BYTES);
  generations.publish(name);
  const agents = new ModuleAgents('tally', dir.path);
  assert.equal(agents.count(), 0);
  const note = 'n'.repeat(1_000);
  for (let first = 0; first < AGENTS; first += GROUP) {
    const changes = Array.from({ length: GROUP }, (_, i) => ({
      agent: `agent-${first + i}`,
      sequences: [first + i + 1],
      timeMs: 1_700_000_000_000,
      state: JSON.stringify({ i: first + i, note }),
      keep: false,
    }));
    store.commit({ changes, position: { seq: first + GROUP, logId: 'log', version: '1.0.0', schema: 1 } });
    assert.equal(agents.position?.seq, first + GROUP);
  }
  for (let i = 0; i < AGENTS; i++) assert.deepEqual(agents.get(`agent-${i}`)?.state, { i, note });
  await agents.close();
  await store.close();
  const again = new ModuleAgents('tally', dir.path);
  assert.equal(again.count(), AGENTS);
  await again.close();
});
