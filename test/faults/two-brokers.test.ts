import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../support/broker.js';
import { IN_FULL, byForm } from '../support/form.js';
import { runningProcesses } from '../support/processes.js';
import { Seeded } from '../support/seeded.js';
import { startServerElsewhere, writeAccounts } from '../support/server-elsewhere.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { SEED } from './kill-options.js';
import { Ledger } from './ledger.js';
import { AGENT_NAMES, Load, prepare } from './load.js';
import { checkMoney, checkSettledLog, processesOf } from './system-state.js';

const PAUSE_MS = IN_FULL ? 40_000 : 1_000;
const ROUNDS = byForm({ short: 1, deep: 2, full: 3 });

/** A broker and every process that it started. */
const pidsOf = (broker: TestBroker): readonly number[] =>
  processesOf(broker.dataDir).map((text) => Number(text.split(' ')[0]));

const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  const running = new Set(runningProcesses().map(({ pid }) => pid));
  for (const pid of pids) if (running.has(pid)) process.kill(pid, signal);
};

test('I1 to I5 a broker that is stopped with its modules while another takes its log over is refused when it goes on', async (t) => {
  await using home = tempDir();
  const dirs = Array.from({ length: ROUNDS + 1 }, (_, i) => join(home.path, `broker-${i}`));
  const [first = ''] = dirs;
  await writeAccounts(first);
  // The same operator's other machines: the accounts of that server are the same.
  for (const dir of dirs.slice(1)) cpSync(join(first, 'keys'), join(dir, 'keys'), { recursive: true });
  await using server = await startServerElsewhere(first);
  const start = (dataDir: string): Promise<TestBroker> =>
    startBroker({ dataDir, natsUrl: server.url, args: ['--durability', 'os'] });
  let owner = await start(first);
  await prepare(server.url);
  const ledger = new Ledger();
  const load = await Load.start(server.url, ledger, new Seeded(SEED));
  const answered = async (count: number): Promise<void> => {
    const before = ledger.answered;
    await waitFor(`${count} calls to be answered`, () => ledger.answered >= before + count, 60_000);
  };
  try {
    for (const dir of dirs.slice(1)) {
      await answered(40);
      const stopped = pidsOf(owner);
      // The modules' credentials stay good, and what they have in hand they will want to store.
      signalAll(stopped, 'SIGSTOP');
      const next = await start(dir);
      await answered(40);
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
      signalAll(stopped, 'SIGCONT');
      assert.deepEqual(await owner.exited, { code: 1, signal: null });
      assert.match(owner.stderr.at(-1) ?? '', /EPOCH_LOST.*another broker/);
      await waitFor('nothing of it to be left', () => processesOf(owner.dataDir).length === 0, 20_000);
      await answered(40);
      owner = next;
    }
    load.stop();
    const against = ledger.check();
    const records = await checkSettledLog(owner.dataDir, against.add);
    assert.deepEqual(against.findings().slice(0, 10), []);
    const nc = await connect({ servers: server.url });
    await checkMoney(nc, AGENT_NAMES, owner.dataDir);
    await nc.close();
    t.diagnostic(`${ROUNDS} takeovers, ${records} records verified clean`);
    await owner.stop();
  } finally {
    await load.close();
    await owner[Symbol.asyncDispose]();
  }
});
