import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { SILENCE_VARIABLE } from '../../link/keepalive.js';
import { type BadLine, type Direction, startBadLine } from '../support/bad-line.js';
import { IN_FULL, byForm } from '../support/form.js';
import { startServerElsewhere } from '../support/server-elsewhere.js';
import { FaultRig, MODULES } from './fault-rig.js';
import { SEED } from './kill-options.js';

/** After how much silence a connection is given up: the default in full. */
const SILENCE_MS = IN_FULL ? 15_000 : 900;
const CUTS = byForm({ short: 3, deep: 10, full: 30 });
/** Connections of the broker (two) and of its modules. */
const CONNECTIONS = 2 + MODULES.length;
/** In the short form the worst: calls and beats go on to come, and nothing that is sent arrives. */
const DIRECTIONS: readonly Direction[] = IN_FULL ? ['to-server', 'to-client', 'both'] : ['to-server'];

describe('between broker and modules here and a server elsewhere', () => {
  let rig: FaultRig;
  let line: BadLine;

  before(async () => {
    rig = await FaultRig.start(SEED, 'os', {
      env: { [SILENCE_VARIABLE]: String(SILENCE_MS) },
      elsewhere: async (dataDir) => {
        const server = await startServerElsewhere(dataDir);
        line = await startBadLine(server.port);
        return {
          brokerUrl: line.url,
          clientUrl: server.url,
          [Symbol.asyncDispose]: async () => {
            await line[Symbol.asyncDispose]();
            await server[Symbol.asyncDispose]();
          },
        };
      },
    });
  });

  afterEach(() => {
    line.mend();
    line.pace({});
  });

  after(() => rig?.[Symbol.asyncDispose]());

  const answered = (count: number): Promise<void> => {
    const before = rig.ledger.answered;
    return rig.until(`${count} calls to be answered`, () => rig.ledger.answered >= before + count);
  };

  test('I1 to I5 200 ms of delay each way cost time only', () =>
    rig.underLoad(async () => {
      line.pace({ delayMs: 200 });
      await answered(IN_FULL ? 1_000 : 40);
      line.pace({});
    }));

  test('I1 to I5 a line of 512 KiB a second is not given up for being slow', () =>
    rig.underLoad(async () => {
      const { connections } = line;
      line.pace({ bytesPerSecond: 512 * 1024 });
      await answered(IN_FULL ? 2_000 : 100);
      line.pace({});
      assert.equal(line.connections, connections);
    }));

  test('I1 to I5 connections that are cut again and again lose and double nothing', () =>
    rig.underLoad(async () => {
      for (let cut = 0; cut < CUTS; cut++) {
        await answered(20);
        line.cut();
      }
      await answered(20);
    }));

  for (const direction of DIRECTIONS) {
    test(`I1 to I5 connections that are half open (${direction}: nothing comes through) are given up, and no module is parked`, (t) =>
      rig.underLoad(async () => {
        await answered(20);
        const { connections } = line;
        const deadAt = performance.now();
        line.swallow(direction);
        await rig.until('the first to be given up', () => line.connections > connections);
        t.diagnostic(`given up after ${Math.round(performance.now() - deadAt)} ms`);
        line.mend();
        await rig.until('all to be made anew', () => line.connections >= connections + CONNECTIONS);
        await answered(20);
        assert.ok(!rig.said.some((text) => text.includes('parked')));
      }));
  }
});
