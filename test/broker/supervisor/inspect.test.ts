import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { writeModule } from '../../support/module-dir.js';
import { moduleCommand, moduleStatus } from '../../support/modules.js';
import { natsCall } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const quick = (name: string) => ({ ...plain(name), limits: { hangMs: 1_000, crashes: 100 } });

describe('a module that a person debugs', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let modules: readonly string[];

  before(async () => {
    dir = tempDir();
    modules = [
      await writeModule(join(dir.path, 'debugged'), 'plain', quick('debugged')),
      await writeModule(join(dir.path, 'watched'), 'plain', quick('watched')),
    ].flatMap((module) => ['--module', module]);
    broker = await startBroker({
      args: ['--no-shipped', '--durability', 'os', ...modules, '--inspect', 'debugged=0'],
    });
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  /** The ports that a module has printed, the latest last. */
  const ports = (module: string): readonly string[] =>
    broker.stderr.flatMap((line) => {
      const [, name, port] = /\[(\w+)\] Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line) ?? [];
      return name === module && port !== undefined ? [port] : [];
    });

  const targets = async (port: string): Promise<readonly { readonly title: string }[]> =>
    (await fetch(`http://127.0.0.1:${port}/json/list`)).json() as Promise<{ title: string }[]>;

  const pidOf = async (module: string): Promise<number> =>
    (await moduleStatus(broker, module, ({ state }) => state === 'loaded')).pid ?? 0;

  it('has a host that a debugger finds; other modules have none', async () => {
    const [port = ''] = ports('debugged');
    const [target] = await targets(port);
    assert.match(target?.title ?? '', /host-main\.js/);
    assert.deepEqual(ports('watched'), []);
  });

  it('is not replaced while it stands still, however long', async () => {
    const pid = await pidOf('debugged');
    process.kill(pid, 'SIGSTOP');
    // The other module is as silent. The broker replaces it twice, so it would have replaced this one too.
    for (let times = 0; times < 2; times++) {
      const silent = await pidOf('watched');
      process.kill(silent, 'SIGSTOP');
      await moduleStatus(broker, 'watched', (it) => it.state === 'loaded' && it.pid !== silent);
    }
    process.kill(pid, 'SIGCONT');
    const { result } = await natsCall(broker.url, 'debugged.echo.alice', '"still here"');
    assert.deepEqual(result, { status: 'ok', data: 'still here' });
    assert.equal(await pidOf('debugged'), pid);
  });

  it('listens again after a reload, and the trial of its new code does not', async () => {
    const before = ports('debugged').length;
    assert.equal((await moduleCommand(broker, 'reload', 'debugged')).json?.state, 'loaded');
    await waitFor('the debugger to listen', () => ports('debugged').length > before, 10_000);
    assert.equal((await targets(ports('debugged').at(-1) ?? '')).length, 1);
    assert.deepEqual(
      broker.stderr.filter((line) => /trial: .*Debugger/.test(line)),
      [],
    );
  });

  it('must be known to the start, and each needs another port', async () => {
    const start = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await tallystick(['start', '--nats-port', '0', '--no-shipped', ...args], {
        dataDir: join(dir.path, 'refused'),
      });
      assert.equal(code, 2);
      return stderr;
    };
    assert.match(await start('--inspect', 'nobody'), /USAGE: --inspect nobody: this start knows no module/);
    const both = ['--inspect', 'debugged', '--inspect', 'watched'];
    assert.match(await start(...modules, ...both), /USAGE: --inspect watched: port 9229 is that of another/);
  });
});
