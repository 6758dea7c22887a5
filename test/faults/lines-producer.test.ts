import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { SILENCE_VARIABLE } from '../../link/keepalive.js';
import { type BadLine, type Direction, startBadLine } from '../support/bad-line.js';
import type { TestBroker } from '../support/broker.js';
import { IN_FULL, byForm } from '../support/form.js';
import { type Producing, startCounting, startProducing } from '../support/producing.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { checkSettledLog } from './system-state.js';
import { Told } from './told.js';

/** After how much silence a connection is given up: the default in full, else as short as a busy machine bears. */
const SILENCE_MS = IN_FULL ? 15_000 : 900;
const CUTS = byForm({ short: 2, deep: 8, full: 50 });
/** In the short form the worst of them. */
const DIRECTIONS: readonly Direction[] = IN_FULL ? ['to-server', 'to-client', 'both'] : ['both'];
const ENDLESS = 10_000_000;

describe('between a producer outside and the server', () => {
  let home: TempDir;
  let broker: TestBroker;
  let line: BadLine;
  let name = 0;

  before(async () => {
    home = tempDir();
    broker = await startCounting(home.path, 'os');
    line = await startBadLine(Number(new URL(broker.url).port));
  });

  afterEach(() => {
    line.mend();
    line.pace({});
  });

  after(async () => {
    await line?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  /** Has a program send over the line while something is done to it, and lays what it was told beside the log. */
  const send = async (
    count: number,
    window: number,
    disturb: (program: Producing) => Promise<void>,
  ): Promise<void> => {
    const producer = `p${++name}`;
    const outbox = join(home.path, producer);
    const env = { [SILENCE_VARIABLE]: String(SILENCE_MS) };
    const program = startProducing(line.url, producer, outbox, 0, count, window, { env });
    await waitFor('the program to be ready', () => program.lines.includes('ready'), 60_000);
    await disturb(program);
    const told = new Told();
    if (count === ENDLESS) {
      program.child.kill('SIGTERM');
      await program.exited;
      told.add(program);
      // What it had accepted and was not told of yet, its next life stores.
      const next = startProducing(line.url, producer, outbox, ENDLESS, 1, 1, { env });
      assert.deepEqual(await next.exited, { code: 0, signal: null });
      told.add(next);
    } else {
      assert.deepEqual(await program.exited, { code: 0, signal: null });
      told.add(program);
      assert.equal(told.stored.size, count);
    }
    assert.deepEqual([...told.refused], []);
    await told.check(broker.dataDir, `guest~${producer}`);
    await told.checkAccepted(broker.dataDir, `guest~${producer}`);
  };

  test('I1 I2 200 ms of delay each way cost time only', async () => {
    line.pace({ delayMs: 200 });
    await send(IN_FULL ? 20_000 : 1_000, 500, async () => undefined);
  });

  test('I1 I2 a line of 64 KiB a second takes what it can, and is not given up for being slow', async () => {
    const before = line.connections;
    await send(IN_FULL ? 10_000 : 400, 200, async () => line.pace({ bytesPerSecond: 64 * 1024 }));
    // Of this program there was one.
    assert.equal(line.connections - before, 1);
  });

  test('I1 I2 connections that are cut again and again, in the middle of what is sent, lose and double nothing', async () => {
    await send(ENDLESS, 300, async (program) => {
      for (let cut = 0; cut < CUTS; cut++) {
        const stored = program.numbers('stored').length;
        await waitFor('more to be stored', () => program.numbers('stored').length > stored + 100, 60_000);
        line.cut();
      }
    });
  });

  for (const direction of DIRECTIONS) {
    test(`I1 I2 a connection that is half open (${direction}: nothing comes through) is given up for its silence, and loses nothing`, async (t) => {
      await send(ENDLESS, 300, async (program) => {
        await waitFor('some to be stored', () => program.numbers('stored').length > 300, 60_000);
        const { connections } = line;
        const deadAt = performance.now();
        line.swallow(direction);
        await waitFor('it to be given up', () => line.connections > connections, 2 * SILENCE_MS + 30_000);
        t.diagnostic(`given up after ${Math.round(performance.now() - deadAt)} ms`);
        line.mend();
        const stored = program.numbers('stored').length;
        await waitFor(
          'it to go on over a new connection',
          () => program.numbers('stored').length > stored + 300,
          60_000,
        );
      });
    });
  }

  test('I1 to I5 the log is whole after all of that', async () => {
    await checkSettledLog(broker.dataDir);
  });
});
