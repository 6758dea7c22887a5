import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBroker } from '../support/broker.js';
import { IN_FULL, byForm } from '../support/form.js';
import { processesMentioning } from '../support/processes.js';
import { Seeded } from '../support/seeded.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { FaultRig, MODULES } from './fault-rig.js';
import { DURABILITY, SEED } from './kill-options.js';
import { brokerStatus } from '../support/broker-status.js';

const KILLS = byForm({ short: 2, deep: 10, full: 60 });
/** Up to so long after the kill before it the next one strikes, milliseconds: also in the middle of a start. */
const APART_MS = IN_FULL ? 3_000 : 1_500;

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

test(`I1 to I5 hold after ${KILLS} kills of broker, server and modules, one soon after the other, in their starts too`, async (t) => {
  await using rig = await FaultRig.start(SEED, DURABILITY);
  const struck = new Map<string, number>();
  const kill = (name: string, pid: number | null | undefined): boolean => {
    if (pid === null || pid === undefined) return false;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has just ended with another one.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      return false;
    }
    struck.set(name, (struck.get(name) ?? 0) + 1);
    return true;
  };
  /** Found by their command lines: one that starts is in no status yet. */
  const find = (name: string): number | undefined => {
    const all = processesMentioning(rig.dataDir);
    const text = name === 'server' ? 'nats-server' : 'tallystick.js start';
    return all.find(({ command }) => command.includes(text))?.pid;
  };
  const module = async (name: string): Promise<number | null | undefined> => {
    try {
      return (await brokerStatus(rig.dataDir)).modules.find((each) => each.name === name)?.pid;
    } catch {
      return undefined;
    }
  };
  await rig.underLoad(async () => {
    for (let kills = 0; kills < KILLS; ) {
      await pause(rig.random.int(0, APART_MS));
      const name = rig.random.pick(['broker', 'server', ...MODULES]);
      const pid = name === 'broker' || name === 'server' ? find(name) : await module(name);
      if (kill(name, pid)) kills += 1;
    }
  });
  t.diagnostic([...struck].map(([name, times]) => `${name} ${times}`).join(', '));
  if (IN_FULL) await rig.verifyRebuilt();
});

test('I1 a start whose server is killed in the middle of it begins anew, and is ready', async (t) => {
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const random = new Seeded(SEED);
  const anew: string[] = [];
  // The first makes the log, the others find it.
  for (const afterMs of [0, random.int(0, 150), random.int(150, 400)]) {
    const starting = startBroker({ dataDir, args: ['--durability', DURABILITY] });
    const server = await waitFor('a server', () =>
      processesMentioning(dataDir).find(({ command }) => command.includes('nats-server')),
    );
    await pause(afterMs);
    process.kill(server.pid, 'SIGKILL');
    await using broker = await starting;
    assert.equal(broker.ready.modules.length, 3);
    anew.push(
      `${afterMs} ms: ${broker.stderr.filter((line) => line.includes('starts again with the records')).length}`,
    );
    await broker.stop();
  }
  t.diagnostic(`begun anew, killed after ${anew.join(', ')}`);
});
