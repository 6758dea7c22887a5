import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { SourceWatch } from '../../bin/dev/source-watch.js';
import { byForm } from '../support/form.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const ROUNDS = byForm({ short: 30, deep: 200, full: 600 });

/** What a program does with a file or its folder when somebody saves. Each ends with the text in the file. */
const SAVES = [
  'write',
  'empty first',
  'rename',
  'remove first',
  'folder removed',
  'folder replaced',
] as const;

test('the last text of a file is read after a report, in whatever steps it was saved', async (t) => {
  await using home = tempDir();
  const folder = join(home.path, 'modules');
  const file = join(folder, 'counter.ts');
  mkdirSync(folder);
  writeFileSync(file, '0');
  const contents = (): string | undefined => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  };
  let read: string | undefined;
  const watch = new SourceWatch((paths) => {
    if (paths.has(file)) read = contents();
  });
  t.after(() => watch.close());
  watch.add([file], Date.now());
  const save = {
    write: async (text: string) => writeFileSync(file, text),
    'empty first': async (text: string, ms: number) => {
      writeFileSync(file, '');
      await pause(ms);
      writeFileSync(file, text);
    },
    rename: async (text: string, ms: number) => {
      writeFileSync(`${file}.tmp`, text);
      await pause(ms);
      renameSync(`${file}.tmp`, file);
    },
    'remove first': async (text: string, ms: number) => {
      rmSync(file);
      await pause(ms);
      writeFileSync(file, text);
    },
    'folder removed': async (text: string, ms: number) => {
      rmSync(folder, { recursive: true });
      await pause(ms);
      mkdirSync(folder);
      writeFileSync(file, text);
    },
    'folder replaced': async (text: string) => {
      mkdirSync(`${folder}.new`);
      writeFileSync(join(`${folder}.new`, 'counter.ts'), text);
      renameSync(folder, `${folder}.old`);
      renameSync(`${folder}.new`, folder);
      rmSync(`${folder}.old`, { recursive: true });
    },
  } satisfies Record<(typeof SAVES)[number], (text: string, ms: number) => Promise<void>>;

  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  // Gaps around the time after which a report comes, and more plain writes than other saves: they are the hardest.
  const step = fc.record({
    how: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...SAVES) },
      { weight: 1, arbitrary: fc.constant('write' as const) },
    ),
    ms: fc.integer({ min: 0, max: 30 }),
    thenMs: fc.integer({ min: 0, max: 30 }),
  });
  const rounds = fc.sample(fc.array(step, { minLength: 2, maxLength: 5 }), { seed, numRuns: ROUNDS });
  for (const [i, steps] of rounds.entries()) {
    for (const [k, { how, ms, thenMs }] of steps.entries()) {
      await save[how](`round ${i} step ${k}`, ms);
      await pause(thenMs);
    }
    const last = contents();
    await waitFor(`${last} after ${JSON.stringify(steps)}`, () => read === last, 10_000);
  }
  assert.equal(rounds.length, ROUNDS);
});

test('a file counts from the given time on; a new file, a removed one and the target of a link are reported', async (t) => {
  await using home = tempDir();
  const at = (name: string): string => join(home.path, name);
  writeFileSync(at('old.ts'), 'old');
  mkdirSync(at('far'));
  writeFileSync(at('far/target.ts'), '1');
  symlinkSync(at('far/target.ts'), at('link.ts'));
  const reported = new Set<string>();
  const watch = new SourceWatch((paths) => {
    for (const path of paths) reported.add(path);
  });
  t.after(() => watch.close());
  const isReported = (name: string): Promise<unknown> => waitFor(name, () => reported.delete(at(name)));
  await pause(30);
  watch.add([at('old.ts')], Date.now());
  writeFileSync(at('new.ts'), 'new');
  await isReported('new.ts');
  assert.ok(!reported.has(at('old.ts')));
  watch.add([at('missing/below.ts')], Date.now());
  mkdirSync(at('missing'));
  writeFileSync(at('missing/below.ts'), '1');
  await isReported('missing/below.ts');
  writeFileSync(at('far/target.ts'), '22');
  await isReported('link.ts');
  rmSync(at('old.ts'));
  await isReported('old.ts');
});
