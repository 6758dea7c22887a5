import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type DevProgram, startDev } from '../support/dev-program.js';
import { isAlive, processesMentioning } from '../support/processes.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { tallystick } from './tallystick.js';

/** The output of `show` tells which code answers. */
const counter = (answer: string, { name = 'counter', head = '', fold = 'sum + by' } = {}): string => `
import { defineModule, ok, reject, Type } from 'tallystick';
${head}
export default defineModule({
  name: '${name}',
  version: '1.0.0',
  description: 'Counts.',
  state: { sum: 0 },
  events: { added: { data: Type.Object({ by: Type.Integer() }), evolve: ({ sum }, { by }) => ({ sum: ${fold} }) } },
  actions: {
    add: {
      input: Type.Object({ by: Type.Integer() }),
      output: Type.Null(),
      decide: (_, { by }) => (by < 0 ? reject('NEGATIVE', 'it only counts up') : ok(null, { added: { by } })),
    },
    show: {
      input: Type.Object({}),
      output: Type.Object({ sum: Type.Integer(), code: Type.Unknown() }),
      decide: ({ sum }) => ok({ sum, code: ${answer} }),
    },
  },
});
`;

const project = (files: Readonly<Record<string, string>>) => {
  const dir = tempDir();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const call = async (action: string, input = {}): Promise<unknown> => {
    const args = ['call', action, JSON.stringify(input), '--agent', 'a', '--json'];
    return JSON.parse((await tallystick(args, { cwd: dir.path })).stdout);
  };
  return {
    path: dir.path,
    write,
    call,
    shown: async (name = 'counter') => ((await call(`${name}.show`)) as { data: unknown }).data,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
};

describe('tallystick dev', () => {
  const here = project({ 'modules/counter.ts': counter("'one'"), 'modules/counter.test.ts': 'no module' });
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

  it('takes a folder that was removed and comes back', async () => {
    rmSync(join(here.path, 'modules'), { recursive: true });
    await dev.next('gone');
    here.write(file, counter("'same folder'"));
    await dev.next('reloaded');
    assert.deepEqual(await here.shown(), { sum: 2, code: 'same folder' });
  });

  it('follows the files that a module imports, also new and missing ones', async () => {
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
    it(`leaves no process behind at ${signal}, and the next one has the states`, async () => {
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

describe('tallystick dev, by its arguments', () => {
  it('takes the sources of package.json, or those that it is given', async () => {
    await using here = project({
      'package.json': '{"tallystick":{"modules":["./src/one.ts"]}}',
      'src/one.ts': counter('1', { name: 'one' }),
      'src/two.ts': counter('2', { name: 'two' }),
    });
    for (const [args, names] of [
      [[], ['one']],
      [
        ['./src/two.ts', 'src/one.ts'],
        ['one', 'two'],
      ],
    ] as const) {
      await using dev = startDev(here.path, ['--nats-port', '0', ...args]);
      const { modules } = await dev.next('ready');
      assert.deepEqual(modules.map(({ name }) => name).toSorted(), names);
    }
  });

  it('says what it lacks', async () => {
    await using here = project({ 'kept/manifest.json': '{}' });
    const said = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await tallystick(['dev', ...args], { cwd: here.path });
      assert.equal(code, 2);
      return stderr;
    };
    assert.match(
      await said(),
      /USAGE: there is no \.\/modules, and package\.json has no tallystick\.modules/,
    );
    assert.match(await said('./none.ts'), /USAGE: there is no .*none\.ts/);
    assert.match(await said('./kept'), /USAGE: \.\/kept has a manifest\.json that you keep/);
  });

  it('takes a free port if another program has the usual one, and refuses one that you named', async () => {
    await using here = project({ 'modules/counter.ts': counter('1') });
    const other = createServer().unref().listen({ host: '127.0.0.1', port: 0 });
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const refused = await tallystick(['dev', '--nats-port', `${port}`], { cwd: here.path });
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, new RegExp(`PORT_IN_USE: port ${port}`));
    other.close();
    // Either this process has the usual port now, or another one had it before.
    const usual = createServer()
      .unref()
      .on('error', () => undefined);
    usual.listen({ host: '127.0.0.1', port: 4222 });
    await Promise.race([once(usual, 'listening'), once(usual, 'error')]);
    await using dev = startDev(here.path, []);
    assert.match((await dev.next('note')).text, /port 4222 .* in use by .*; this broker takes a free port/);
    const { nats } = await dev.next('ready');
    assert.notEqual(new URL(nats).port, '4222');
    usual.close();
  });

  it('shows type errors, and reloads all the same', async () => {
    await using here = project({
      'modules/counter.ts': counter('1'),
      'tsconfig.json': JSON.stringify({
        compilerOptions: { strict: true, module: 'nodenext', skipLibCheck: true, types: [] },
        include: ['types'],
      }),
      'types/seats.ts': 'export const seats: number = 1;',
    });
    mkdirSync(join(here.path, 'node_modules'));
    symlinkSync(
      join(PROJECT_ROOT, 'node_modules', 'typescript'),
      join(here.path, 'node_modules', 'typescript'),
    );
    await using dev = startDev(here.path, ['--nats-port', '0', './modules/counter.ts']);
    await dev.next('ready');
    await waitFor('the first check', () => dev.events.some(({ event }) => event === 'types'));
    here.write('types/seats.ts', "export const seats: number = 'many';");
    here.write('modules/counter.ts', counter('2'));
    await dev.next('reloaded');
    const { problems } = await dev.next('types', ({ problems: { length } }) => length > 0);
    assert.deepEqual(
      problems.map(({ file, line, column, code }) => ({ file, line, column, code })),
      [{ file: 'types/seats.ts', line: 1, column: 14, code: 'TS2322' }],
    );
    assert.deepEqual(await here.shown(), { sum: 0, code: 2 });
  });
});
