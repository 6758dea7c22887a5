import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'nats';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { FaultError } from '../../schemas/errors.js';
import type { Result } from '../../schemas/result.js';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { writeShippedModule } from '../support/module-dir.js';
import { moduleStatus } from '../support/modules.js';
import { Seeded } from '../support/seeded.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { DAMAGES, damageFile } from './damage.js';
import { SEED } from './kill-options.js';
import { checkSettledLog } from './system-state.js';

/** Files that are opened as they lie; each of them in a broker of its own. */
const STARTS = byForm({ short: 1, deep: 5, full: 40 });
/** Of those that are only read, without a broker. */
const LOOKUPS = byForm({ short: 60, deep: 120, full: 400 });
const AGENTS = 60;

const agents = Array.from({ length: AGENTS }, (_, i) => `agent-${i}`);
const expected = (i: number): number => 100 + i;

const call = async (url: string, action: string, agent: string, data: object): Promise<number> => {
  const nc = await connect({ servers: url });
  try {
    const reply = await nc.request(`call.accounts.${action}.${agent}`, JSON.stringify(data), {
      timeout: 60_000,
    });
    const result = reply.json<Result>();
    assert.equal(result.status, 'ok', JSON.stringify(result));
    return (result as { data: { balance: number } }).data.balance;
  } finally {
    await nc.close();
  }
};

describe('I6 snapshots and index whose files are damaged', () => {
  let home: TempDir;
  let sound: string;
  let module: string;
  const random = new Seeded(SEED);
  const snapshots = join('snapshots', 'accounts', 'g1', 'data.mdb');

  const start = (dataDir: string): Promise<TestBroker> =>
    startBroker({ dataDir, args: ['--durability', 'os', '--no-shipped', '--module', module] });
  const copy = (dir: TempDir): string => {
    const dataDir = join(dir.path, 'data');
    cpSync(sound, dataDir, { recursive: true });
    return dataDir;
  };
  const balances = (url: string): Promise<number[]> =>
    Promise.all(agents.map((agent) => call(url, 'balance', agent, {})));

  before(async () => {
    home = tempDir();
    sound = join(home.path, 'sound');
    mkdirSync(sound, { mode: 0o700 });
    module = await writeShippedModule(join(home.path, 'accounts'), 'accounts', {});
    await using broker = await start(sound);
    await Promise.all(agents.map((agent, i) => call(broker.url, 'deposit', agent, { amount: expected(i) })));
    await broker.stop();
  });
  after(() => home?.[Symbol.asyncDispose]());

  test(`no lookup gives a state that never was, at ${LOOKUPS} places`, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    await using dir = tempDir();
    const dataDir = copy(dir);
    const path = join(dataDir, snapshots);
    const bytes = readFileSync(path);
    let told = 0;
    for (let i = 0; i < LOOKUPS; i++) {
      writeFileSync(path, bytes);
      const what = damageFile(path, DAMAGES[i % DAMAGES.length] ?? 'flip', random);
      const lookup = new ModuleAgents('accounts', dataDir);
      try {
        for (const [j, agent] of agents.entries()) {
          const state = lookup.get(agent)?.state as { balance: number } | undefined;
          assert.equal(state?.balance, expected(j), what);
        }
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        assert.match(error.fault.code, /^SNAPSHOTS_UNAVAILABLE$|^SNAPSHOT_DAMAGED$/);
        told += 1;
      }
      await lookup.close();
    }
    assert.ok(told > 0);
    t.diagnostic(`${told} were told, the others hit nothing`);
  });

  test(`a start sets them aside, says so, and has every state as it was, at ${STARTS} places of each`, async () => {
    for (let i = 0; i < STARTS; i++) {
      await using dir = tempDir();
      const dataDir = copy(dir);
      const damage = DAMAGES[i % DAMAGES.length] ?? 'flip';
      const done = [snapshots, join('index', 'data.mdb')].map((file) =>
        damageFile(join(dataDir, file), damage, random),
      );
      await using broker = await start(dataDir);
      assert.deepEqual(
        await balances(broker.url),
        agents.map((_, j) => expected(j)),
        done.join(),
      );
      await checkSettledLog(dataDir);
      const checked = await tallystick(['replay', 'rebuild', '--check'], { dataDir });
      assert.equal(checked.code, 0, `${done.join()}: ${checked.stdout}${checked.stderr}`);
      const said = broker.stderr.filter((line) => /is damaged.*(folded from|read from) the log/.test(line));
      // A page of zeros may have been one already.
      assert.ok(said.length === 2 || damage === 'zero', `${done.join()}\n${broker.stderr.join('\n')}`);
      await broker.stop();
    }
  });

  test('a module that meets a damaged state at work handles nothing by it: it starts again and folds the log', async () => {
    await using dir = tempDir();
    const dataDir = copy(dir);
    await using broker = await start(dataDir);
    const { pid } = await moduleStatus(broker, 'accounts', ({ state }) => state === 'loaded');
    const path = join(dataDir, snapshots);
    const file = readFileSync(path);
    // The module has not looked at any agent yet: what is in memory is what the file says.
    for (let at = file.indexOf('{"balance"'); at >= 0; at = file.indexOf('{"balance"', at + 1)) {
      const digit = at + '{"balance":'.length;
      file[digit] = (file[digit] as number) ^ 1;
    }
    writeFileSync(path, file);
    assert.equal(await call(broker.url, 'deposit', 'agent-7', { amount: 1 }), expected(7) + 1);
    const now = await moduleStatus(broker, 'accounts', ({ state }) => state === 'loaded');
    assert.notEqual(now.pid, pid);
    assert.ok(broker.stderr.some((line) => /does not fit its checksum: the module starts again/.test(line)));
    await waitFor('what was damaged to be kept', () =>
      readdirSync(join(dataDir, 'snapshots', 'accounts')).some((name) => /^g\d+\.damaged-\d+$/.test(name)),
    );
    assert.deepEqual(
      await balances(broker.url),
      agents.map((_, j) => expected(j) + (j === 7 ? 1 : 0)),
    );
    await checkSettledLog(dataDir);
    await broker.stop();
  });
});
