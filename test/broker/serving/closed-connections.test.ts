import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { ClosedConnections } from '../../../broker/serving/closed-connections.js';
import type { Result } from '../../../schemas/result.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { leavingCaller } from '../../support/leaving-caller.js';
import { byForm, inDeep } from '../../support/form.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { readAll } from '../../support/log.js';
import { sourceManifest, writeSourceModule } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const itInDeep = inDeep(it);

const NAME = 'gated';
/** Fewer than a connection may have waiting, so none is refused for too much. */
const CALLS = byForm({ short: 600, deep: 6_000 });
const COMMANDS = byForm({ short: 200, deep: 2_000 });
/** Calls of one connection to one module that may be under way: these are stored before their caller is gone. */
const UNDER_WAY = 64;

const MANIFEST = sourceManifest(NAME, {
  actions: {
    wait: { input: { type: 'object' }, output: {}, deadlineMs: 300_000, concurrency: UNDER_WAY },
    add: { input: { type: 'object' }, output: {} },
  },
});

/** `wait` ends when a file is there; `add` ends at once. */
const code = (gate: string): string => `
import { existsSync } from 'node:fs';
const manifest = ${JSON.stringify(MANIFEST)};
const done = (n) => ({ _tag: 'Right', right: { data: { n }, events: [{ name: 'added', data: { n } }] } });
export default {
  manifest,
  initial: { sum: 0 },
  actions: {
    wait: {
      run: ({ data: { n } }) => async () => {
        while (!existsSync(${JSON.stringify(gate)})) await new Promise((resume) => setTimeout(resume, 20));
        return done(n);
      },
    },
    add: { decide: (_, { data: { n } }) => done(n) },
  },
  evolve: { added: ({ sum }, { n }) => ({ sum: sum + n }) },
};
`;

/** A broker with the module, while the gate is shut; at the end the log is sound, and `verify` agrees. */
const withGated = async (
  use: (broker: TestBroker, guest: NatsConnection, gate: string) => Promise<void>,
): Promise<void> => {
  await using home = tempDir();
  const gate = join(home.path, 'gate');
  const dir = writeSourceModule(join(home.path, NAME), MANIFEST, {
    'package.json': '{"type":"module"}',
    'index.js': code(gate),
  });
  await using broker = await startBroker({ args: ['--no-shipped', '--module', dir, '--durability', 'os'] });
  const guest = await connect({ servers: broker.url });
  try {
    await use(broker, guest, gate);
    writeFileSync(gate, '');
    await soundLog(broker.dataDir);
    const verified = await tallystick(['replay', 'verify'], { dataDir: broker.dataDir });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  } finally {
    await guest.close();
  }
};

const stored = async (dataDir: string, subject: string): Promise<number> => {
  const operator = await connectOperator(dataDir);
  try {
    return (await readAll(operator, [subject])).length;
  } finally {
    await operator.close();
  }
};

/** Waits until each of the calls is stored or dropped. Returns how many are stored. */
const settled = (dataDir: string): Promise<number> =>
  waitFor('each call to be stored or dropped', async () => {
    const { callsDropped = {}, requestsWaiting } = await brokerStatus(dataDir);
    const kept = await stored(dataDir, `cmd.${NAME}.wait.>`);
    assert.ok(kept + (callsDropped.guest ?? 0) <= CALLS, `${kept} stored, ${callsDropped.guest} dropped`);
    return kept + (callsDropped.guest ?? 0) === CALLS && requestsWaiting.guest === undefined && { kept };
  }).then(({ kept }) => kept);

const isAnswered = async (guest: NatsConnection): Promise<void> => {
  const reply = await guest.request(`call.${NAME}.add.other`, '{"n":1}', { timeout: 60_000 });
  assert.equal(reply.json<{ status: string }>().status, 'ok', reply.string());
};

describe('calls of a connection that has closed', () => {
  it('I8 I12 are dropped and counted where they are not stored yet, and nobody else waits for them', async () => {
    await withGated(async (broker, guest, gate) => {
      const requests = { url: broker.url, subject: `call.${NAME}.wait.gone`, count: CALLS };
      const caller = await leavingCaller({ ...requests, inbox: '_INBOX.gone' });
      await isAnswered(guest);
      await caller.kill();
      const kept = await settled(broker.dataDir);
      assert.ok(kept > 0 && kept <= UNDER_WAY, `${kept} calls are stored`);
      await isAnswered(guest);
      // None of those that are stored has ended, so the others waited for none of them.
      assert.equal(existsSync(gate), false);
      const shown = await tallystick(['status'], { dataDir: broker.dataDir });
      assert.match(shown.stdout, new RegExp(`dropped +${CALLS - kept} calls of closed connections of guest`));
      await waitFor('the broker to print it', () =>
        broker.stderr.some((line) => line.includes('the connection of its caller had closed')),
      );
    });
  });

  itInDeep('I8 are dropped too where they come in together with the news', async () => {
    await withGated(async (broker) => {
      process.kill(broker.pid, 'SIGSTOP');
      try {
        const requests = { url: broker.url, subject: `call.${NAME}.wait.gone`, count: CALLS };
        await (await leavingCaller({ ...requests, inbox: '_INBOX.gone' })).kill();
      } finally {
        process.kill(broker.pid, 'SIGCONT');
      }
      const kept = await settled(broker.dataDir);
      assert.ok(kept <= UNDER_WAY, `${kept} calls are stored`);
    });
  });

  itInDeep('I8 have a refusal that another listener of their inbox hears, and no result', async () => {
    await withGated(async (broker, guest) => {
      const refused: string[] = [];
      guest.subscribe('_INBOX.shared', {
        callback: (_, msg) => {
          const result = msg.json<Result>();
          // The calls that are stored have their results at the end.
          if (result.status !== 'ok') refused.push(result.error.code);
        },
      });
      await guest.flush();
      const requests = { url: broker.url, subject: `call.${NAME}.wait.gone`, count: CALLS };
      await (await leavingCaller({ ...requests, inbox: '_INBOX.shared' })).kill();
      const kept = await settled(broker.dataDir);
      await waitFor('each refusal to come', () => refused.length === CALLS - kept);
      assert.deepEqual([...new Set(refused)], ['CALLER_GONE']);
    });
  });

  it('I1 take no plain command with them: it needs no reply, and is stored', async () => {
    await withGated(async (broker) => {
      const requests = { url: broker.url, subject: `cmd.${NAME}.add.gone`, count: COMMANDS };
      await (await leavingCaller(requests)).kill();
      await waitFor(
        'each command to be stored',
        async () => (await stored(broker.dataDir, `cmd.${NAME}.add.>`)) === COMMANDS,
      );
      assert.deepEqual((await brokerStatus(broker.dataDir)).callsDropped, {});
    });
  });
});

describe('the closed connections that are remembered', () => {
  it('are the latest, and no more than the limit', () => {
    const closed = new ClosedConnections(() => undefined, 3);
    for (const each of ['a', 'b', 'c', 'd', 'e']) closed.add(each);
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((each) => closed.has(each)),
      [false, false, true, true, true],
    );
  });
});
