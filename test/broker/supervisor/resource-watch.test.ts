import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { groupUsages, leaderUsages } from '../../../broker/supervisor/group-usage.js';
import { MOST_OF_MACHINE, ResourceWatch } from '../../../broker/supervisor/resource-watch.js';
import { type DiskRoom, takenRoom } from '../../../system/files/disk-room.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** A watch of modules that have the disk of the test. */
const rig = (names: readonly string[]) => {
  const disk = { bytes: 10 * GIB, files: 1_000_000 };
  const taken = new Map<string, DiskRoom>();
  const cut: string[] = [];
  const watch = new ResourceWatch({
    modules: () => names.map((name) => ({ name, pid: process.pid, heapMb: 8_192, dirs: [name] })),
    free: () => ({ ...disk }),
    taken: ([name = '']) => taken.get(name) ?? { bytes: 0, files: 0 },
    cut: (module, what) => cut.push(`${module}: ${what}`),
  });
  const take = (name: string, bytes: number, files = 0): void => {
    const had = taken.get(name) ?? { bytes: 0, files: 0 };
    taken.set(name, { bytes: had.bytes + bytes, files: had.files + files });
    disk.bytes -= bytes;
    disk.files -= files;
    watch.look();
  };
  return { watch, cut, take };
};

describe('what modules take of the machine', () => {
  it('half of the free disk is the most that the files of a module may take, whatever process wrote them', () => {
    const { watch, cut, take } = rig(['one', 'two']);
    try {
      watch.look();
      for (let i = 0; i < 5; i++) take('one', GIB);
      assert.deepEqual(cut, []);
      // Its next process has no half of what is left.
      take('one', GIB);
      take('one', 100 * MIB);
      assert.equal(cut.length, 2);
      for (const each of cut) assert.match(each, /^one: 5(\.0)? GiB of the disk$/);
    } finally {
      watch.close();
    }
  });

  it('a module may not make files without end, however small they are', () => {
    const { watch, cut, take } = rig(['one', 'two']);
    try {
      watch.look();
      take('two', 0, MOST_OF_MACHINE.files);
      assert.deepEqual(cut, []);
      take('two', 0, 10_000);
      assert.deepEqual(cut, [`two: ${MOST_OF_MACHINE.files} files`]);
    } finally {
      watch.close();
    }
  });

  it('counts the files of directories, and no more of them than it must', async () => {
    await using dir = tempDir();
    mkdirSync(join(dir.path, 'a', 'b'), { recursive: true });
    for (let i = 0; i < 50; i++) writeFileSync(join(dir.path, 'a', i % 2 === 0 ? 'b' : '.', `${i}`), 'x');
    const all = takenRoom([dir.path, join(dir.path, 'nothing')], 1_000);
    assert.equal(all.files, 52);
    assert.ok(all.bytes >= 50 * 512);
    assert.equal(takenRoom([dir.path], 10).files, 11);
  });

  it('knows the processes of a group, with those that their parents left', async () => {
    const child = spawn('sh', ['-c', '(sleep 60 & sleep 60 & sleep 60) & sleep 60'], {
      detached: true,
      stdio: 'ignore',
    });
    const group = child.pid as number;
    try {
      await waitFor('all processes', () => (groupUsages(new Set([group])).get(group)?.processes ?? 0) >= 5);
      assert.ok((groupUsages(new Set([group])).get(group)?.memoryBytes ?? 0) > 0);
      assert.equal(leaderUsages([group]).get(group)?.processes, 1);
      assert.equal(groupUsages(new Set([1e9])).size, 0);
    } finally {
      process.kill(-group, 'SIGKILL');
    }
  });
});
