import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type DevProgram, startDev } from '../support/dev-program.js';
import { waitFor } from '../support/wait-for.js';
import { counter, devProject } from './dev-project.js';
import { tallystick } from './tallystick.js';

describe('tallystick dev, if a file has the module name of another one', () => {
  const here = devProject({ 'modules/counter.ts': counter("'one'") });
  const file = 'modules/counter.ts';
  const copy = 'modules/counter-copy.ts';
  let dev: DevProgram;
  before(async () => {
    dev = startDev(here.path);
    await dev.next('ready');
    await here.call('counter.add', { by: 2 });
  });
  after(async () => {
    await dev[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
  });
  const remove = (path: string): void => rmSync(join(here.path, path));

  it('refuses the file by the names of both, and runs the module from before', async () => {
    here.write(copy, counter("'copy'"));
    const { source, module, continues, error } = await dev.next('broken');
    assert.deepEqual([source, module, continues], [copy, null, false]);
    assert.deepEqual(
      [error.code, error.message],
      [
        'MODULE_NAME_TAKEN',
        `${file} and ${copy} are two modules with the name counter: give one of them another name`,
      ],
    );
    assert.deepEqual(await here.shown(), { sum: 2, code: 'one' });
    here.write(file, counter("'two'"));
    assert.equal((await dev.next('reloaded')).source, file);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
  });

  it('says that no code of the refused file ran when it is gone', async () => {
    remove(copy);
    const { source, module, continues } = await dev.next('gone');
    assert.deepEqual([source, module, continues], [copy, null, false]);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
  });

  it('loads the file when it gets another name', async () => {
    here.write(copy, counter("'copy'"));
    await dev.next('broken');
    here.write(copy, counter("'copy'", { name: 'copied' }));
    assert.equal((await dev.next('loaded')).module, 'copied');
    assert.deepEqual(await here.shown('copied'), { sum: 0, code: 'copy' });
  });

  it('keeps the last good code of a running module whose file takes the name of another one', async () => {
    here.write(copy, counter("'taken'"));
    const { module, continues } = await dev.next('broken');
    assert.deepEqual([module, continues], ['copied', true]);
    assert.deepEqual(await here.shown('copied'), { sum: 0, code: 'copy' });
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
  });

  it('gives the name to the file that waits for it, when the other file gives it up', async () => {
    here.write(file, counter("'moved on'", { name: 'other' }));
    await dev.next('reloaded', ({ module, source }) => module === 'counter' && source === copy);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'taken' });
    assert.deepEqual(await here.shown('other'), { sum: 0, code: 'moved on' });
  });

  it('lets two files swap their names', async () => {
    here.write(file, counter("'swapped'"));
    here.write(copy, counter("'swapped too'", { name: 'other' }));
    await waitFor('both to have their new names', async () => {
      const codes = [await here.shown(), await here.shown('other')].map(
        (shown) => (shown as { code: string }).code,
      );
      return codes[0] === 'swapped' && codes[1] === 'swapped too';
    });
    assert.deepEqual(await here.shown(), { sum: 2, code: 'swapped' });
  });

  it('takes a file that was renamed for the same module', async () => {
    renameSync(join(here.path, copy), join(here.path, 'modules/renamed.ts'));
    here.write('modules/renamed.ts', counter("'renamed'", { name: 'other' }));
    await dev.next('reloaded', ({ source }) => source === 'modules/renamed.ts');
    assert.deepEqual(await here.shown('other'), { sum: 0, code: 'renamed' });
  });

  it('refuses a name that the broker runs from another place', async () => {
    here.write('elsewhere/third.ts', counter("'elsewhere'", { name: 'third' }));
    const { code } = await tallystick(['module', 'load', './elsewhere/third.ts'], { cwd: here.path });
    assert.equal(code, 0);
    here.write('modules/third.ts', counter("'here'", { name: 'third' }));
    const { error } = await dev.next('broken', ({ source }) => source === 'modules/third.ts');
    assert.equal(error.code, 'MODULE_NAME_TAKEN');
    assert.match(
      error.message,
      /^modules\/third\.ts has the module name third, and the broker runs third from .*\/elsewhere\/third\.ts: give/,
    );
    assert.deepEqual(await here.shown('third'), { sum: 0, code: 'elsewhere' });
    const removed = ['module', 'remove', 'third', '--unload', '--yes'];
    assert.equal((await tallystick(removed, { cwd: here.path })).code, 0);
    here.write('modules/third.ts', counter("'here now'", { name: 'third' }));
    await dev.next('loaded', ({ module }) => module === 'third');
    assert.deepEqual(await here.shown('third'), { sum: 0, code: 'here now' });
  });
});

describe('a start with two modules of one name', () => {
  const both = ['one.ts', 'two.ts'] as const;
  const commands = [
    ['dev', './one.ts', './two.ts'],
    ['start', '--no-shipped', '--module', './one.ts', '--module', './two.ts'],
  ] as const;
  for (const [command, ...args] of commands)
    it(`is refused by the names of their files: ${command}`, async () => {
      await using here = devProject(Object.fromEntries(both.map((name) => [name, counter(`'${name}'`)])));
      const { code, stderr } = await tallystick([command, '--nats-port', '0', ...args], { cwd: here.path });
      assert.equal(code, 2, stderr);
      const [one, two] = both.map((name) => join(here.path, name));
      assert.ok(
        stderr.includes(
          `MODULE_NAME_TAKEN: ${one} and ${two} are two modules with the name counter: give one`,
        ),
        stderr,
      );
    });
});
