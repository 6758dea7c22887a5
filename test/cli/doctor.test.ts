import assert from 'node:assert/strict';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Diagnosis } from '../../bin/doctor/diagnosis.js';
import { checkClock } from '../../bin/doctor/check-clock.js';
import { checkDisk } from '../../bin/doctor/check-disk.js';
import { checkMemory, checkNode, checkOpenFiles } from '../../bin/doctor/check-machine.js';
import { startBroker } from '../support/broker.js';
import { tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

interface Report {
  readonly ok: boolean;
  readonly problems: number;
  readonly warnings: number;
  readonly checks: readonly Diagnosis[];
}

const report = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Report & { readonly code: number | null }> => {
  const { code, stdout, stderr } = await tallystick(['doctor', '--json', ...args], { env });
  assert.equal(stderr, '');
  return { ...(JSON.parse(stdout) as Report), code };
};

const named = ({ checks }: Pick<Report, 'checks'>, name: string): readonly Diagnosis[] =>
  checks.filter((each) => each.name === name);

const isAdvised = ({ state, advice }: Diagnosis): boolean => (state === 'ok') === (advice === undefined);

describe('tallystick doctor', () => {
  test('finds a machine ready, leaves nothing behind, and exits with 0', async () => {
    await using dir = tempDir();
    const data = join(dir.path, 'data');
    const found = await report(['--data', data, '--nats-port', '0']);
    assert.deepEqual([found.code, found.ok, found.problems], [0, true, 0], JSON.stringify(found));
    assert.ok(found.checks.every(isAdvised));
    assert.match(named(found, 'nats-server')[0]?.found ?? '', /^2\.\d+\.\d+, \//);
    assert.equal(named(found, 'data directory')[0]?.found, `${data}, which the first start makes`);
    assert.equal(existsSync(data), false);
    assert.deepEqual(readdirSync(dir.path), []);
  });

  test('prints a line for each check, advice under it, and a sum', async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, 'file'), '');
    const { code, stdout } = await tallystick(['doctor', '--data', join(dir.path, 'file')], {
      env: { NO_COLOR: '1' },
    });
    assert.equal(code, 1);
    assert.match(stdout, /^ok {7}Node {12}\d+\.\d+\.\d+ on /m);
    assert.match(
      stdout,
      /^PROBLEM {2}data directory {2}.*file is not a directory\n {25}→ make it a directory/m,
    );
    assert.match(stdout, /\n\n1 problem, \d warnings?\n$/);
    // What is below a file can be no directory either.
    assert.deepEqual(
      checkDisk(join(dir.path, 'file', 'data'), 'os').map(({ state }) => state),
      ['problem'],
    );
  });

  test('names the process that has the port, and another port', async () => {
    await using dir = tempDir();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      const found = await report(['--data', dir.path, '--nats-port', `${port}`]);
      const [check] = named(found, 'port');
      assert.deepEqual([found.code, found.ok, check?.state], [1, false, 'problem']);
      assert.match(check?.found ?? '', new RegExp(`port ${port} .* in use by .*\\(pid ${process.pid}\\)`));
      assert.match(check?.advice ?? '', new RegExp(`--nats-port ${port + 1}`));
    } finally {
      other.close();
    }
  });

  test('says what is wrong with the nats-server that NATS_SERVER names', async () => {
    await using dir = tempDir();
    const missing = join(dir.path, 'missing');
    const found = await report(['--data', dir.path, '--nats-port', '0'], { NATS_SERVER: missing });
    assert.equal(named(found, 'nats-server')[0]?.state, 'problem');
    assert.match(named(found, 'nats-server')[0]?.advice ?? '', /there is no such file/);
  });

  test('downloads nothing where there is no nats-server, and says what the first start will do', async () => {
    await using dir = tempDir();
    const cache = join(dir.path, 'cache');
    const env = { NATS_SERVER: undefined, TALLYSTICK_CACHE: cache, PATH: join(dir.path, 'no') };
    const found = await report(['--data', dir.path, '--nats-port', '0'], env);
    const [check] = named(found, 'nats-server');
    assert.equal(check?.state, 'warning');
    assert.match(
      check?.advice ?? '',
      /the first start downloads version 2\.\d+\.\d+ .*go, which could build it, is not on PATH/,
    );
    assert.equal(existsSync(cache), false);
  });

  test('describes the broker that runs, and finds a module that is no longer loaded', async () => {
    await using broker = await startBroker({ args: ['--durability', 'os'] });
    const before = await report(['--data', broker.dataDir]);
    assert.deepEqual([before.code, before.problems], [0, 0], JSON.stringify(before));
    assert.match(named(before, 'broker')[0]?.found ?? '', /^pid \d+ at nats:.*durability os$/);
    assert.equal(named(before, 'module').length, 3);
    assert.deepEqual(named(before, 'port'), []);
    const unloaded = await tallystick(['module', 'unload', 'orders', '--data', broker.dataDir]);
    assert.equal(unloaded.code, 0, unloaded.stderr);
    const after = await report(['--data', broker.dataDir]);
    assert.deepEqual(
      named(after, 'module').map(({ state }) => state),
      ['ok', 'ok', 'warning'],
    );
  });

  test('refuses what start refuses, by the name of the option', async () => {
    const level = await tallystick(['doctor', '--durability', 'disk']);
    assert.equal(level.code, 2);
    assert.match(level.stderr, /^tallystick: USAGE: --durability: /);
    const port = await tallystick(['doctor', '--nats-port', '65536']);
    assert.equal(port.code, 2);
    assert.match(port.stderr, /--nats-port/);
  });
});

describe('the checks of tallystick doctor', () => {
  test('Node: too old, and new enough', () => {
    assert.equal(checkNode('18.20.0').state, 'problem');
    assert.equal(checkNode('20.10.9').state, 'problem');
    for (const version of ['20.11.0', '20.20.2', '22.0.0', '100.1.0'])
      assert.equal(checkNode(version).state, 'ok');
  });

  test('memory and open files: little, and enough', () => {
    assert.equal(checkMemory(512 * 1024 * 1024, 1).state, 'warning');
    assert.deepEqual(checkMemory(2 * 1024 ** 3, 1), {
      name: 'memory',
      state: 'ok',
      found: '2 GiB, 1 processor',
    });
    const limits = (soft: string): string =>
      `Limit  Soft Limit  Hard Limit\nMax open files            ${soft}   20000   files\n`;
    assert.equal(checkOpenFiles(limits('1024'))?.state, 'warning');
    assert.equal(checkOpenFiles(limits('4096'))?.state, 'ok');
    assert.equal(checkOpenFiles(limits('unlimited'))?.found, 'any number at a time');
    assert.equal(checkOpenFiles(''), undefined);
  });

  test('clock: too early, behind the last start, and right', async () => {
    await using dir = tempDir();
    assert.equal(checkClock(dir.path, Date.UTC(2020, 0, 1)).state, 'problem');
    assert.equal(checkClock(dir.path, Date.UTC(2027, 0, 1)).state, 'ok');
    writeFileSync(join(dir.path, 'broker.json'), '{}');
    utimesSync(join(dir.path, 'broker.json'), new Date(Date.UTC(2027, 5, 1)), new Date(Date.UTC(2027, 5, 1)));
    assert.equal(checkClock(dir.path, Date.UTC(2027, 0, 1)).state, 'warning');
    assert.equal(checkClock(dir.path, Date.UTC(2027, 6, 1)).state, 'ok');
  });

  test('disk: a file system in memory breaks fsync, and not os', { skip: !existsSync('/dev/shm') }, () => {
    const states = (level: 'fsync' | 'os'): readonly string[] =>
      checkDisk('/dev/shm/none', level).map((each) => each.state);
    assert.equal(states('fsync')[2], 'problem');
    assert.equal(states('os')[2], 'ok');
  });
});
