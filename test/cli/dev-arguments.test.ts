import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { startDev } from '../support/dev-program.js';
import { counter, devProject } from './dev-project.js';
import { tallystick } from './tallystick.js';

describe('tallystick dev, by its arguments', () => {
  it('takes the sources of package.json, or those that it is given', async () => {
    await using here = devProject({
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

  it('says where its package.json is broken', async () => {
    await using here = devProject({ 'package.json': '{\n"name": shop}', 'modules/one.ts': counter('1') });
    const { code, stderr } = await tallystick(['dev'], { cwd: here.path });
    assert.equal(code, 2);
    assert.match(stderr, /USAGE: package\.json:2:9: Unexpected "shop" in JSON\n {2}2 \| "name": shop\}/);
  });

  it('says what it lacks', async () => {
    await using here = devProject({ 'kept/manifest.json': '{}' });
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
    await using here = devProject({ 'modules/counter.ts': counter('1') });
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
});
