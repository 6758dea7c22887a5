import assert from 'node:assert/strict';
import { notHere } from '../../runner/not-here.js';
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectLines } from '../../support/lines.js';
import { waitFor } from '../../support/wait-for.js';
import { LossyDisk, type Mode, whyNoLossyDisk } from './lossy-disk.js';

const skip = notHere(await whyNoLossyDisk()) ?? false;
const PAGE = 4096;

const sync = (path: string): void => {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
};

const writeSynced = (path: string, data: string): void => {
  writeFileSync(path, data);
  sync(path);
};

/** Loses power and starts again. */
const crash = async (disk: LossyDisk, mode: Mode = 'nothing', seed = 1): Promise<void> => {
  await disk.lose(mode, seed);
  await disk.mount();
};

const mounts = (path: string): number =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(path)).length;

test('what was synced survives a loss of power, and nothing else', { skip }, async () => {
  await using disk = await LossyDisk.start();
  const at = (name: string): string => join(disk.path, name);
  const flags = { dsync: constants.O_DSYNC, sync: constants.O_SYNC, fsync: 0, fdatasync: 0, closed: 0 };
  for (const [name, flag] of Object.entries(flags)) {
    const file = openSync(at(name), constants.O_CREAT | constants.O_WRONLY | flag);
    writeSync(file, 'first ');
    if (name === 'fsync') fsyncSync(file);
    if (name === 'fdatasync') fdatasyncSync(file);
    if (flag === 0) writeSync(file, 'second');
    closeSync(file);
  }
  assert.equal(readFileSync(at('fsync'), 'utf8'), 'first second');
  const loss = await disk.lose('nothing', 1);
  assert.ok(loss.unsyncedWrites === 4 && loss.keptWrites === 0, JSON.stringify(loss));
  await disk.mount();
  for (const name of ['dsync', 'sync', 'fsync', 'fdatasync'])
    assert.equal(readFileSync(at(name), 'utf8'), 'first ', name);
  assert.equal(existsSync(at('closed')), false);
});

test('names and sizes survive in their order, up to the last of what was synced', { skip }, async () => {
  await using disk = await LossyDisk.start();
  const at = (name: string): string => join(disk.path, name);
  writeSynced(at('old'), 'old');
  writeSynced(at('shrunk'), 'x'.repeat(2 * PAGE));
  mkdirSync(at('dir'));
  linkSync(at('old'), at('link'));
  symlinkSync('old', at('symlink'));
  writeFileSync(at('empty'), 'never synced');
  const shrunk = openSync(at('shrunk'), 'r+');
  ftruncateSync(shrunk, 10);
  closeSync(shrunk);
  writeSynced(at('dir/synced'), 'synced');
  renameSync(at('old'), at('new'));
  unlinkSync(at('link'));
  rmSync(at('shrunk'));
  await crash(disk);
  assert.deepEqual(readdirSync(disk.path).sort(), ['dir', 'empty', 'link', 'old', 'shrunk', 'symlink']);
  assert.equal(readFileSync(at('dir/synced'), 'utf8'), 'synced');
  assert.equal(readFileSync(at('symlink'), 'utf8'), 'old');
  assert.equal(readFileSync(at('empty'), 'utf8'), '');
  assert.equal(readFileSync(at('shrunk'), 'utf8'), 'x'.repeat(10));

  renameSync(at('old'), at('new'));
  sync(disk.path);
  rmSync(at('dir'), { recursive: true });
  await crash(disk);
  assert.deepEqual(readdirSync(disk.path).sort(), ['dir', 'empty', 'link', 'new', 'shrunk', 'symlink']);
});

test('with strict names only a sync of the directory keeps them', { skip }, async () => {
  await using disk = await LossyDisk.start({ strictNames: true });
  const at = (name: string): string => join(disk.path, name);
  for (const dir of ['kept', 'lost']) mkdirSync(at(dir));
  sync(disk.path);
  for (const dir of ['kept', 'lost']) {
    writeSynced(at(`${dir}/a`), 'a');
    renameSync(at(`${dir}/a`), at(`${dir}/b`));
  }
  sync(at('kept'));
  await crash(disk);
  assert.deepEqual([readdirSync(at('kept')), readdirSync(at('lost'))], [['b'], []]);
  assert.equal(readFileSync(at('kept/b'), 'utf8'), 'a');
});

/** Pages 0 to 63 of a file are written over in order, and not synced: which of them are on the disk afterwards. */
const survivingPages = async (mode: Mode, seed: number): Promise<readonly boolean[]> => {
  await using disk = await LossyDisk.start();
  const path = join(disk.path, 'file');
  writeSynced(path, '.'.repeat(64 * PAGE));
  const file = openSync(path, 'r+');
  for (let page = 0; page < 64; page++) writeSync(file, '#'.repeat(PAGE), page * PAGE);
  closeSync(file);
  await crash(disk, mode, seed);
  const text = readFileSync(path, 'utf8');
  return Array.from({ length: 64 }, (_, page) => {
    const kept = text.slice(page * PAGE, (page + 1) * PAGE);
    assert.ok(kept === '#'.repeat(PAGE) || kept === '.'.repeat(PAGE), `page ${page} is torn`);
    return kept.startsWith('#');
  });
};

const draw = (pages: readonly boolean[]): string => pages.map((kept) => (kept ? '#' : '.')).join('');

test('a prefix of the writes survives, or single pages, as the seed says', { skip }, async () => {
  const prefixes = new Set<string>();
  const pages = new Set<string>();
  for (let seed = 1; seed <= 4; seed++) {
    const prefix = draw(await survivingPages('prefix', seed));
    assert.match(prefix, /^#*\.*$/);
    prefixes.add(prefix);
    const single = draw(await survivingPages('pages', seed));
    assert.match(single, /\.#.*\.#/);
    pages.add(single);
  }
  assert.ok(prefixes.size > 1 && pages.size === 4);
  assert.equal(draw(await survivingPages('pages', 4)), [...pages].at(-1));
});

test('single pages survive behind the old end too, with zeros for those before that did not', {
  skip,
}, async () => {
  await using disk = await LossyDisk.start();
  const path = join(disk.path, 'file');
  writeSynced(path, '');
  const file = openSync(path, 'r+');
  for (let page = 0; page < 16; page++) writeSync(file, '#'.repeat(100 + PAGE * (page % 2)));
  closeSync(file);
  await crash(disk, 'pages', 5);
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^[#\0]+$/);
  assert.ok(text.includes('#') && text.includes('\0'));
});

test('after the cut nothing is answered, and processes that wait for the disk can be killed', {
  skip,
}, async () => {
  await using disk = await LossyDisk.start({ syncTimeMs: 2 });
  const path = join(disk.path, 'file');
  const code = `const fs = require('fs'), f = fs.openSync(${JSON.stringify(path)}, 'w');
    for (let i = 0; ; i++) { fs.writeSync(f, i + '\\n'); fs.fsyncSync(f); fs.writeSync(1, i + '\\n'); }`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const told = collectLines(child.stdout);
  await waitFor('some syncs', () => told.length > 50);
  await disk.cut();
  child.kill('SIGKILL');
  await disk.lose('nothing', 1);
  await ended;
  await disk.mount();
  const kept = readFileSync(path, 'utf8').trim().split('\n');
  assert.deepEqual(kept.slice(0, told.length), told);
  assert.ok(kept.length <= told.length + 1);
});

test('whatever kills it, it leaves no mount behind', { skip }, async () => {
  await using disk = await LossyDisk.start();
  assert.equal(mounts(disk.path), 1);
  process.kill(disk.pid, 'SIGKILL');
  await waitFor('the mount to be gone', () => mounts(disk.path) === 0);
});
