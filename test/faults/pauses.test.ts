import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SILENCE_VARIABLE } from '../../link/keepalive.js';
import { counting } from '../fixtures/counting.js';
import { tallystick } from '../support/broker.js';
import { IN_FULL, byForm } from '../support/form.js';
import { writeModule } from '../support/module-dir.js';
import { isAlive } from '../support/processes.js';
import { startProducing } from '../support/producing.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { FaultRig, MODULES, type ProcessName } from './fault-rig.js';
import { DURABILITY, SEED } from './kill-options.js';
import { Told } from './told.js';

/** Long enough that a module is replaced and a connection given up; in full by what they are by default. */
const PAUSE_MS = IN_FULL ? 40_000 : 2_500;
const HANG_MS = IN_FULL ? 5_000 : 1_000;
const SILENCE_MS = IN_FULL ? 15_000 : 900;

/** Records of the program outside. */
const SENT = IN_FULL ? 20_000 : 1_500;

const paused = (): Promise<void> => new Promise((resume) => setTimeout(resume, PAUSE_MS));

describe(`stopped for ${PAUSE_MS / 1_000} s by SIGSTOP, and let go on by SIGCONT`, () => {
  let rig: FaultRig;

  before(async () => {
    rig = await FaultRig.start(SEED, DURABILITY, {
      limits: { hangMs: HANG_MS },
      env: { [SILENCE_VARIABLE]: String(SILENCE_MS) },
    });
  });

  after(() => rig?.[Symbol.asyncDispose]());

  const pids = async (): Promise<readonly number[]> =>
    Promise.all(MODULES.map((name: ProcessName) => rig.pidOf(name)));

  for (const name of byForm<readonly (typeof MODULES)[number][]>({
    short: ['accounts'],
    deep: MODULES,
    full: MODULES,
  })) {
    test(`I1 to I5 module ${name} is replaced: the process that was stopped is no more when its time comes`, async () => {
      const stopped = await rig.pidOf(name);
      await rig.underLoad(async () => {
        process.kill(stopped, 'SIGSTOP');
        await rig.until(`${name} to be replaced`, async () => (await rig.pidOf(name)) !== stopped);
        // Killed before its replacement had its epoch and its credential.
        assert.equal(isAlive(stopped), false);
        if (IN_FULL) await paused();
      });
    });
  }

  test('I1 to I5 the server is waited for: no module is replaced for what nobody can hear, and none is parked', async () => {
    const before = await pids();
    await rig.underLoad(async () => {
      rig.signalServer('SIGSTOP');
      await paused();
      rig.signalServer('SIGCONT');
    });
    assert.deepEqual(await pids(), before);
  });

  test('I1 to I5 the broker goes on where it was: its directory stays its own, its modules live', async () => {
    const before = await pids();
    const broker = await rig.pidOf('broker');
    await rig.underLoad(async () => {
      process.kill(broker, 'SIGSTOP');
      const other = await tallystick(['start', '--json', '--nats-port', '0'], { dataDir: rig.dataDir });
      assert.equal(other.code, 3);
      assert.match(other.stderr, new RegExp(`DATA_DIR_IN_USE.*pid ${broker} `));
      await paused();
      process.kill(broker, 'SIGCONT');
    });
    assert.deepEqual(await pids(), before);
    assert.equal(await rig.pidOf('broker'), broker);
  });

  test('I1 I2 a program outside that nobody replaced goes on, and has in the log what it was told', async () => {
    const env = { [SILENCE_VARIABLE]: String(SILENCE_MS) };
    // The broker takes commands of modules that it knows.
    await using home = tempDir();
    const module = await writeModule(join(home.path, counting.name), counting.name, counting);
    const loaded = await tallystick(['module', 'load', module], { dataDir: rig.dataDir });
    assert.equal(loaded.code, 0, loaded.stderr);
    const program = startProducing(rig.url, 'stopped', '-', 0, SENT, 500, { env });
    await waitFor('it to send', () => program.numbers('stored').length > 500, 60_000);
    program.child.kill('SIGSTOP');
    await paused();
    program.child.kill('SIGCONT');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    const told = new Told();
    told.add(program);
    assert.deepEqual([...told.refused], []);
    assert.equal(told.stored.size, SENT);
    await told.check(rig.dataDir, 'guest~stopped');
    await rig.verify();
  });

  if (IN_FULL) test('I6 what is folded anew after all of that is the same', () => rig.verifyRebuilt());
});
