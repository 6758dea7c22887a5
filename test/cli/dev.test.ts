import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type DevProgram, startDev } from '../support/dev-program.js';
import { counter, devProject } from './dev-project.js';
import { inDeep } from '../support/form.js';
import { isAlive, processesMentioning, runningProcesses } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';
import { tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

describe('tallystick dev', () => {
  const here = devProject({ 'modules/counter.ts': counter("'one'"), 'modules/counter.test.ts': 'no module' });
  const file = 'modules/counter.ts';
  let dev: DevProgram;
  before(async () => {
    dev = startDev(here.path);
    const ready = await dev.next('ready');
    assert.deepEqual(ready.sources, [file]);
    assert.deepEqual(ready.modules, [{ name: 'counter', version: '1.0.0', state: 'loaded' }]);
  });
  after(async () => {
    await dev[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
  });

  it('tells each call with its result', async () => {
    await here.call('counter.add', { by: 2 });
    const { module, action, agent, sender, input, status, output, ms } = await dev.next('call');
    assert.deepEqual(
      { module, action, agent, sender, input, status, output },
      {
        module: 'counter',
        action: 'add',
        agent: 'a',
        sender: 'operator',
        input: { by: 2 },
        status: 'ok',
        output: null,
      },
    );
    assert.ok(ms > 0);
    await here.call('counter.add', { by: -2 });
    const { status: second, error } = await dev.next('call');
    assert.deepEqual([second, error?.code, error?.message], ['rejected', 'NEGATIVE', 'it only counts up']);
  });

  it('reloads a module at a save, and keeps its states', async () => {
    here.write(file, counter("'two'"));
    const { module, source } = await dev.next('reloaded');
    assert.deepEqual([module, source], ['counter', file]);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
  });

  it('names the place of a syntax error, and runs the code from before', async () => {
    here.write(file, counter("'three'").replace('state: { sum: 0 },', 'state: { sum: 0 },,'));
    const { error, continues, module } = await dev.next('broken');
    assert.deepEqual([continues, module], [true, 'counter']);
    assert.match(error.message, /modules\/counter\.ts:8:21: Expected identifier.*\n8 \|.*\n.*\^$/);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
    here.write(file, counter("'two'"));
    await dev.next('unchanged');
  });

  it('runs the code from before when the new code throws while it loads, or cannot fold the past', async () => {
    here.write(file, counter("'three'", { head: 'const names: string[] = [];\nnames[0]!.trim();' }));
    assert.match((await dev.next('broken')).error.message, /modules\/counter\.ts:4:\d+: Cannot read/);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
    here.write(file, counter("'three'", { fold: '(null as unknown as number[])[0]!' }));
    const { error, continues } = await dev.next('broken');
    assert.equal(continues, true);
    assert.match(error.message, /counter did not start.*cannot be folded/);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'two' });
    here.write(file, counter("'three'"));
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'three' });
  });

  it('tells where a handler threw, by the lines of the source', async () => {
    here.write(file, counter('(null as unknown as number[])[0]'));
    await dev.next('reloaded');
    await here.call('counter.show');
    const { error } = await dev.next('call', ({ status }) => status === 'failed');
    assert.equal(error?.code, 'HANDLER_THREW');
    const frames = () =>
      dev.events.flatMap((event) =>
        event.event === 'output' && /^\s+at /.test(event.text) ? [event.text] : [],
      );
    await waitFor('the stack', () =>
      frames().some((text) => /at decide .*modules\/counter\.ts:19:\d+/.test(text)),
    );
    assert.deepEqual(
      frames().filter((text) => !text.includes('counter.ts')),
      [],
      'only frames of the module',
    );
  });

  it('takes a save that another file replaces, a file that was gone, and the last of ten saves', async () => {
    const path = join(here.path, file);
    writeFileSync(`${path}.tmp`, counter("'renamed'"));
    renameSync(`${path}.tmp`, path);
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'renamed' });

    rmSync(path);
    await dev.next('gone');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'renamed' });
    here.write(file, counter("'back'"));
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'back' });

    for (let i = 1; i <= 10; i++) here.write(file, counter(`'save ${i}'`));
    await waitFor('the last save', async () => {
      const { code } = (await here.shown()) as { code: unknown };
      return code === 'save 10';
    });
  });

  itInDeep('takes a folder that was removed and comes back', async () => {
    rmSync(join(here.path, 'modules'), { recursive: true });
    await dev.next('gone');
    here.write(file, counter("'same folder'"));
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'same folder' });
  });

  itInDeep('follows the files that a module imports, also new and missing ones', async () => {
    const head = "import { answer } from '../house/answer.js';";
    here.write(file, counter('answer', { head }));
    assert.match((await dev.next('broken')).error.message, /counter\.ts:3:24: Could not resolve/);
    here.write('house/answer.ts', "export const answer = 'imported';");
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'imported' });
    here.write('house/answer.ts', "export const answer = 'imported again';");
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'imported again' });
  });

  it('loads a module that is new in the folder', async () => {
    here.write('modules/second.ts', counter("'new'", { name: 'second' }));
    assert.equal((await dev.next('loaded')).module, 'second');
    assert.deepEqual(await here.shown('second'), { sum: 0, code: 'new' });
  });

  itInDeep('gives a reload to a host that waits, and starts another one if that was killed', async () => {
    const commandOf = (pid: number): string =>
      runningProcesses().find((running) => running.pid === pid)?.command ?? '';
    const modulePids = async (): Promise<Readonly<Record<string, number>>> => {
      const { stdout } = await tallystick(['module', 'list', '--json'], { cwd: here.path });
      const { modules } = JSON.parse(stdout) as { modules: { name: string; pid: number }[] };
      return Object.fromEntries(modules.map(({ name, pid }) => [name, pid]));
    };
    // The host of a module may have waited before it got the module, so its command line is the same.
    const waiting = (): Promise<number> =>
      waitFor('a host that waits', async () => {
        const taken = Object.values(await modulePids());
        return dev.children().find((pid) => /host-main\.js$/.test(commandOf(pid)) && !taken.includes(pid));
      });
    const first = await waiting();
    here.write(file, counter("'a host that waited'"));
    await dev.next('reloaded');
    assert.equal((await modulePids()).counter, first);
    const second = await waiting();
    process.kill(second, 'SIGKILL');
    await waitFor('its end', () => !isAlive(second));
    here.write(file, counter("'another host'"));
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'another host' });
  });

  it('reloads also after the server was killed', async () => {
    const [server] = processesMentioning(here.path).filter(({ command }) => /nats-server/.test(command));
    assert.ok(server !== undefined);
    process.kill(server.pid, 'SIGKILL');
    here.write(file, counter("'after the kill'"));
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'after the kill' });
  });

  it('refuses a second one in the same directory', async () => {
    const second = await tallystick(['dev', '--nats-port', '0'], { cwd: here.path });
    assert.equal(second.code, 3);
    assert.match(second.stderr, /DATA_DIR_IN_USE: .* in use by pid \d+/);
    assert.deepEqual(await here.shown(), { sum: 2, code: 'after the kill' });
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const)
    itInDeep(`leaves no process behind at ${signal}, and the next one has the states`, async () => {
      const children = dev.children();
      assert.ok(children.length >= 3, 'server, module and compiler');
      const { code } = await dev.kill(signal);
      if (signal === 'SIGINT') assert.equal(code, 0);
      await waitFor('all processes to end', () => !children.some(isAlive));
      await waitFor('all programs to end', () => processesMentioning(here.path).length === 0);
      dev = startDev(here.path);
      await dev.next('ready');
      assert.deepEqual(await here.shown(), { sum: 2, code: 'after the kill' });
    });
});
