import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { LOG } from '../../schemas/log.js';
import { plain } from '../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { connectCore, fillLog } from '../support/fill-log.js';
import { createLog } from '../support/log.js';
import { soundLog } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import { moduleCommand } from '../support/modules.js';
import { startServerElsewhere, writeAccounts } from '../support/server-elsewhere.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { HEAP_MIB, OPEN, OWNED_ONE_IN } from './many-open-options.js';

/** Of the open commands, those of modules that nobody has. */
const UNOWNED = OPEN - Math.floor(OPEN / OWNED_ONE_IN);
const SETTLE_MS = 60_000 + OPEN / 2;
const MIB = 1_024;

/** The most memory that a process has had, MiB. */
const peakMib = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / MIB);

test(`I3 a broker with ${HEAP_MIB} MiB of heap starts with ${OPEN} open commands, and each has its one result`, async (t: TestContext) => {
  await using home = tempDir();
  const dataDir = join(home.path, 'data');
  const late = await writeModule(join(home.path, 'late'), 'plain', {
    ...plain('late'),
    limits: { crashes: 1, heapMb: 64 },
  });
  writeFileSync(join(late, 'broken'), '');
  const args = ['--no-shipped', '--durability', 'os', '--module', late];
  await writeAccounts(dataDir, args);
  await using server = await startServerElsewhere(dataDir, { syncInterval: '2m' });
  const nc = await connectCore(server.url, dataDir);
  await createLog(nc, 8 * 1024 ** 3);
  // Modules, agents and conversations in any number: whatever a sender can make grow.
  await fillLog(nc, OPEN, (i) =>
    i % OWNED_ONE_IN === 0 ? `cmd.late.echo.a${i % 9_999}.guest` : `cmd.ghost-${i % 1_000}.x.a${i}.guest`,
  );
  const start = async (what: string): Promise<TestBroker> => {
    const begun = performance.now();
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` };
    const broker = await startBroker({
      dataDir,
      natsUrl: server.url,
      args,
      env,
      readyWithinMs: SETTLE_MS,
    });
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    t.diagnostic(`${what}: ready after ${seconds} s, at most ${peakMib(broker.pid)} MiB so far`);
    return broker;
  };

  const first = await start('nothing read before');
  await first.kill('SIGKILL');
  await using broker = await start('killed with -9 and started again');
  const open = async (): Promise<number> => (await brokerStatus(dataDir)).conversationsOpen;
  const begun = performance.now();
  await waitFor(
    'answers to commands of modules that nobody has',
    async () => (await open()) === OPEN - UNOWNED,
    SETTLE_MS,
  );
  t.diagnostic(`the rest of ${UNOWNED} answered ${Math.round(performance.now() - begun)} ms later`);
  rmSync(join(late, 'broken'));
  const loaded = performance.now();
  const { code, stderr } = await moduleCommand(broker, 'load', late);
  assert.equal(code, 0, stderr);
  t.diagnostic(`the module was loaded after ${Math.round(performance.now() - loaded)} ms`);
  await waitFor('answers of the module', async () => (await open()) === 0, SETTLE_MS);
  t.diagnostic(
    `${OPEN - UNOWNED} handled by a module ${Math.round(performance.now() - loaded)} ms after its load`,
  );
  t.diagnostic(`the broker had ${peakMib(broker.pid)} MiB at most`);
  const { state } = await (await jetstreamManager(nc)).streams.info(LOG, { subjects_filter: 'res.>' });
  const results = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  assert.equal(results, OPEN, 'one result each');
  await nc.close();
  if (OPEN <= 500_000) await soundLog(dataDir);
});
