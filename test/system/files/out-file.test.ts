import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { OutFile, writeOut } from '../../../system/files/out-file.js';
import { FaultError } from '../../../schemas/errors.js';
import { collectLines } from '../../support/lines.js';
import { follow } from '../../support/children.js';
import { tempDir } from '../../support/temp-dir.js';

const home = tempDir();
after(() => home[Symbol.asyncDispose]());

const OLD = 'what was there before, and is longer than some of what is written';
const REGULAR = ['none', 'file', 'hard link', 'link', 'links', 'link to nothing'] as const;

/** What stands at a path before it is written: the file itself, if there is one, and the links that lead to it. */
const arrange = (
  kind: (typeof REGULAR)[number],
  mode: number,
): { dir: string; path: string; file: string } => {
  const dir = mkdtempSync(join(home.path, 'case-'));
  const [path, file] = [join(dir, 'out'), join(dir, 'target')];
  const make = (at: string): void => {
    writeFileSync(at, OLD);
    chmodSync(at, mode);
  };
  if (kind === 'none') return { dir, path, file: path };
  if (kind === 'file') make(path);
  else if (kind === 'hard link') {
    make(file);
    linkSync(file, path);
  } else {
    if (kind !== 'link to nothing') make(file);
    symlinkSync(kind === 'links' ? 'middle' : 'target', path);
    if (kind === 'links') symlinkSync(file, join(dir, 'middle'));
  }
  return { dir, path, file: kind === 'file' ? path : file };
};

const linksIn = (dir: string): readonly string[] =>
  readdirSync(dir).flatMap((name) =>
    lstatSync(join(dir, name)).isSymbolicLink() ? [`${name} → ${readlinkSync(join(dir, name))}`] : [],
  );

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

test('a regular file gets all of it or none, and keeps its mode, its links and its other names', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...REGULAR),
      fc.constantFrom(0o600, 0o640, 0o644, 0o755, 0o200, 0o4755),
      fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 4 }),
      fc.boolean(),
      async (kind, mode, chunks, isWhole) => {
        const { dir, path, file } = arrange(kind, mode);
        const [names, links, wasThere] = [readdirSync(dir), linksIn(dir), isThere(file)];
        {
          await using out = await OutFile.open(path);
          for (const chunk of chunks) await out.write(chunk);
          if (isWhole) await out.finish();
        }
        assert.deepEqual(linksIn(dir), links);
        if (!isWhole) {
          assert.deepEqual(readdirSync(dir), names);
          if (wasThere) assert.equal(readFileSync(file, 'utf8'), OLD);
          return;
        }
        for (const name of [path, file]) assert.deepEqual(readFileSync(name), Buffer.concat(chunks), name);
        if (wasThere) assert.equal(statSync(path).mode & 0o7777, mode);
        assert.deepEqual(
          readdirSync(dir),
          [...new Set([...names, ...(wasThere ? [] : [file.slice(dir.length + 1)])])].sort(),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('what cannot be written is refused with the reason, and left as it is', async () => {
  const dir = join(home.path, 'refused');
  mkdirSync(join(dir, 'folder'), { recursive: true });
  writeFileSync(join(dir, 'read-only'), OLD, { mode: 0o444 });
  symlinkSync('circle', join(dir, 'circle'));
  const before = readdirSync(dir);
  const refused: readonly (readonly [string, RegExp])[] = [
    ['folder', /it is a directory/],
    ['read-only', /this user may not write it/],
    ['circle', /symbolic links form a circle/],
    ['nothing/there', /there is no such directory/],
    ['read-only/x', /not a directory/],
    ['x'.repeat(300), /too long/],
    ['a\0b', /invalid character/],
  ];
  for (const [name, why] of refused) {
    await assert.rejects(writeOut(`${dir}/${name}`, 'new'), (error) => {
      assert.ok(error instanceof FaultError, String(error));
      assert.equal(error.fault.code, 'OUTPUT_FAILED');
      assert.match(error.fault.message, why);
      return true;
    });
  }
  await assert.rejects(writeOut('/dev/full', 'new'), /disk is full/);
  assert.deepEqual(readdirSync(dir), before);
  assert.equal(readFileSync(join(dir, 'read-only'), 'utf8'), OLD);
});

test('a pipe and a device are written through, and stay what they are', async () => {
  const pipe = join(home.path, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 5 }),
      async (lines) => {
        const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
        const read = collectLines(reader.stdout);
        const ended = follow(reader);
        await writeOut(pipe, `${lines.join('\n')}\n`);
        await ended;
        assert.deepEqual(read, lines);
        assert.ok(statSync(pipe).isFIFO());
      },
    ),
    { numRuns: 5 },
  );
  const link = join(home.path, 'link-to-device');
  symlinkSync('/dev/null', link);
  await writeOut(link, 'new');
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.ok(statSync('/dev/null').isCharacterDevice());
});
