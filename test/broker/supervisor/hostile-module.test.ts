import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { MOST_OF_MACHINE } from '../../../broker/supervisor/resource-watch.js';
import type { Result } from '../../../schemas/result.js';
import { type Act, DONE } from '../../fixtures/modules/hostile/acts.js';
import { manifest } from '../../fixtures/modules/hostile/index.js';
import { brokerStatus } from '../../support/broker-status.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { inDeep } from '../../support/form.js';
import { moduleCommand } from '../../support/modules.js';
import { writeModule } from '../../support/module-dir.js';
import { processesMentioning } from '../../support/processes.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { type HostileAct, hostileActs } from './hostile-acts.js';

const itInDeep = inDeep(it);

/** Asks the module to try acts, one after the other; the outcome of each. */
const attempts = async ({ url }: TestBroker, acts: readonly Act[]): Promise<readonly string[]> => {
  const nc: NatsConnection = await connect({ servers: url });
  try {
    const reply = await nc.request('call.hostile.attempt', JSON.stringify(acts), { timeout: 30_000 });
    const result = reply.json<Result>();
    assert.equal(result.status, 'ok', JSON.stringify(result));
    return result.data as readonly string[];
  } finally {
    await nc.close();
  }
};

const listen = (server: Server, at: string | number): Promise<void> =>
  new Promise((resolve) => server.listen(at, resolve));

describe('a hostile module, with the default settings', () => {
  let dir: TempDir;
  let broker: TestBroker;
  const tcp = createServer();
  const local = createServer();

  const start = (...args: readonly string[]): Promise<TestBroker> =>
    startBroker({
      dataDir: join(dir.path, 'data'),
      shipped: ['accounts'],
      args: ['--durability', 'os', '--module', join(dir.path, 'hostile'), ...args],
    });

  const allActs = async (): Promise<readonly HostileAct[]> => {
    const { server, modules } = await brokerStatus(broker.dataDir);
    return hostileActs({
      dataDir: broker.dataDir,
      broker: broker.pid,
      server: server.pid ?? 0,
      other: modules.find(({ name }) => name === 'accounts')?.pid ?? 0,
      port: (tcp.address() as AddressInfo).port,
      socket: join(dir.path, 'service.sock'),
      file: join(dir.path, 'private.txt'),
    });
  };

  before(async () => {
    dir = tempDir();
    await writeModule(join(dir.path, 'hostile'), 'hostile', manifest);
    writeFileSync(join(dir.path, 'private.txt'), 'a secret of another program');
    await listen(tcp, 0);
    await listen(local, join(dir.path, 'service.sock'));
    broker = await start();
  });
  after(async () => {
    tcp.close();
    local.close();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  it('is refused each act, or the status names the layer that is missing', async (t) => {
    const { cage } = await brokerStatus(broker.dataDir);
    const acts = await allActs();
    const holds = (layer: string): boolean => cage.layers.some((each) => each.layer === layer && each.holds);
    // With a layer missing, these acts may succeed and would take the broker from the other tests.
    const tried = acts.filter(({ layer }) => layer !== 'signals' || holds(layer));
    const outcomes = await attempts(
      broker,
      tried.map(({ act }) => act),
    );
    const done = tried.filter((_, i) => outcomes[i] === DONE);
    assert.deepEqual(
      done.filter(({ layer }) => holds(layer)).map(({ what }) => what),
      [],
    );
    t.diagnostic(`${tried.length - done.length} of ${acts.length} acts are refused`);
    for (const { layer, detail } of cage.layers.filter((each) => !each.holds)) {
      t.diagnostic(`${layer} is missing: ${detail}`);
      const open = acts.filter((act) => act.layer === layer && (done.includes(act) || !tried.includes(act)));
      for (const { what } of open) t.diagnostic(`a module ${what}`);
    }
    assert.equal(readFileSync(join(dir.path, 'private.txt'), 'utf8'), 'a secret of another program');
  });

  it('has no core file, and its processes have limits', async (t) => {
    const { cage, modules } = await brokerStatus(broker.dataDir);
    if (cage.layers.some(({ layer, holds }) => layer === 'limits' && !holds))
      return t.diagnostic('limits are missing');
    const pid = modules.find(({ name }) => name === 'hostile')?.pid;
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    const limit = (name: string): string | undefined =>
      new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(limits)?.[1];
    assert.equal(limit('Max core file size'), '0');
    for (const name of ['Max file size', 'Max processes', 'Max open files']) {
      assert.match(limit(name) ?? '', /^\d+$/, name);
    }
  });

  it('finds its seed neither in its environment nor in a descriptor', async () => {
    const { modules } = await brokerStatus(broker.dataDir);
    const pid = modules.find(({ name }) => name === 'hostile')?.pid;
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    assert.match(environment, /TALLYSTICK_MODULE=hostile/);
    // The seed of a user begins with SU.
    assert.doesNotMatch(environment, /SU[A-Z2-7]{50}/);
  });

  it('leaves no child behind when it is unloaded, nor when the broker is killed', async (t) => {
    const { cage } = await brokerStatus(broker.dataDir);
    const isHeld = cage.layers.some(({ layer, holds }) => layer === 'calls' && holds);
    if (!isHeld) return t.diagnostic('calls are missing: a child in a separate session outlives the module');
    for (const end of ['unload', 'kill']) {
      const mark = `${dir.path}/left-by-${end}`;
      assert.deepEqual(await attempts(broker, [['leave-child', mark]]), [DONE]);
      assert.equal(processesMentioning(mark).length, 1);
      if (end === 'unload') {
        assert.equal((await moduleCommand(broker, 'unload', 'hostile')).code, 0);
        await waitFor('the child to end', () => processesMentioning(mark).length === 0);
        assert.equal((await moduleCommand(broker, 'load', join(dir.path, 'hostile'))).code, 0);
      } else {
        await broker.kill('SIGKILL');
        await waitFor('the child to end', () => processesMentioning(mark).length === 0);
        broker = await start();
      }
    }
  });

  it('is cut off when it takes more processes or more memory than a module may, with all that it started', async (t) => {
    const { cage } = await brokerStatus(broker.dataDir);
    if (cage.layers.some(({ layer, holds }) => layer === 'calls' && !holds))
      return t.diagnostic('calls are missing: its children can leave its group, and are not counted');
    const mark = `${dir.path}/forked`;
    const takes: readonly (readonly [Act, RegExp, readonly (string | undefined)[]])[] = [
      [
        ['fork', mark, 3 * MOST_OF_MACHINE.processes],
        /it took more than 128 processes/,
        [undefined, 'HANDLER_CRASHED'],
      ],
      [['hold', 3 * 2 ** 29], /it took more than 1\.\d+ GiB of memory/, ['HANDLER_CRASHED']],
    ];
    for (const [act, said, codes] of takes) {
      await waitFor(
        'the module',
        async () =>
          (await brokerStatus(broker.dataDir)).modules.find(({ name }) => name === 'hostile')?.state ===
          'loaded',
      );
      const nc = await connect({ servers: broker.url });
      const reply = nc.request('call.hostile.attempt', JSON.stringify([act]), { timeout: 180_000 });
      await waitFor('the broker to say so', () => broker.stderr.some((line) => said.test(line)));
      await waitFor('its children to end', () => processesMentioning(mark).length === 0);
      // The handler that is under way is to blame: its command is not handled again. One that was quick has its own result.
      const result = (await reply).json<Result>();
      assert.ok(
        codes.includes(result.status === 'ok' ? undefined : result.error.code),
        JSON.stringify(result),
      );
      assert.equal(broker.stderr.filter((line) => said.test(line) && /it starts again/.test(line)).length, 1);
      await nc.close();
    }
    await waitFor('the module', async () => {
      const { modules } = await brokerStatus(broker.dataDir);
      return modules.find(({ name }) => name === 'hostile')?.state === 'loaded';
    });
  });

  it('cannot be told to open the inspector of the broker', async () => {
    process.kill(broker.pid, 'SIGUSR1');
    assert.deepEqual(await attempts(broker, []), []);
    await broker.stop();
    assert.deepEqual(
      broker.stderr.filter((line) => /Debugger listening/.test(line)),
      [],
    );
    broker = await start();
  });

  itInDeep(
    'without a cage, succeeds with acts of every layer: the list above is no list of nothing',
    async (t) => {
      await broker.stop();
      broker = await start('--cage', 'off');
      // Those that would end a process, and those that the system itself refuses to some users, prove nothing here.
      const acts = (await allActs()).filter(
        ({ layer, act: [name, target] }) =>
          layer !== 'signals' &&
          name !== 'system-call' &&
          (typeof target === 'number' || target.startsWith(dir.path)),
      );
      const outcomes = await attempts(
        broker,
        acts.map(({ act }) => act),
      );
      t.diagnostic(`${acts.length} acts`);
      assert.deepEqual(
        acts.map(({ what }, i) => [what, outcomes[i]]).filter(([, outcome]) => outcome !== DONE),
        [],
      );
    },
  );
});
