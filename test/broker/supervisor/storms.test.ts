import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EpochRecord } from '../../../journal/epochs/epoch.js';
import { EPOCH_BURST, EPOCH_INTERVAL_MS } from '../../../broker/supervisor/epoch-pace.js';
import type { Fault } from '../../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { startBroker } from '../../support/broker.js';
import { checkLog, connectOperator } from '../../support/log-checks.js';
import { natsCall } from '../../support/requests.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const CLIENT = `
import { connect, nkeyAuthenticator } from ${JSON.stringify(join(PROJECT_ROOT, 'node_modules', 'nats', 'lib', 'mod.js'))};
const { TALLYSTICK_MODULE: self, TALLYSTICK_NATS_URL: servers, TALLYSTICK_NKEY_SEED: seed } = process.env;
const nc = await connect({ servers, authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) });
const ask = async (verb, body) => (await nc.request('ctl.' + self + '.' + verb, JSON.stringify(body), { timeout: 30_000 })).json();
const start = () => ask('start', { snapshotSeq: 0, logId: null });
`;

/** Programs that open epochs as fast as they are let. */
const STORMS = {
  dies: 'process.exit(9);',
  starts_and_dies: `${CLIENT} await start(); process.exit(8);`,
  ready_and_dies: `${CLIENT} await start(); await ask('ready', { pid: process.pid }); process.exit(7);`,
  asks_again: `${CLIENT} for (;;) await start();`,
  asks_at_once: `${CLIENT} for (;;) {
    const answers = await Promise.all(Array.from({ length: 50 }, start));
    for (const { error } of answers) if (error !== undefined) process.stdout.write(error.code + '\\n');
  }`,
} as const;

test('a module opens no more epochs than it is let, whatever its program does, and load says at once what is wrong', async (t) => {
  await using dir = tempDir();
  for (const [name, code] of Object.entries(STORMS)) {
    const at = join(dir.path, name);
    mkdirSync(at);
    writeFileSync(join(at, 'main.mjs'), code);
    const start = { command: [process.execPath, 'main.mjs'] };
    writeFileSync(
      join(at, 'manifest.json'),
      JSON.stringify({ ...plain(name), limits: { crashes: 1_000 }, start }),
    );
  }
  await using broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
  const nc = await connectOperator(broker.dataDir);
  const load = async (name: string): Promise<ModuleStatus | { error: Fault }> => {
    const body = JSON.stringify({ dir: join(dir.path, name), waitMs: 5_000 });
    return (await nc.request(OPS.moduleLoad, body, { timeout: 30_000 })).json();
  };
  try {
    const answers = await Promise.all(Object.keys(STORMS).map(load));
    const codes = answers.map((answer) => ('error' in answer ? answer.error.code : answer.state));
    assert.deepEqual(codes.slice(0, 2), ['MODULE_START_FAILED', 'MODULE_START_FAILED']);
    // One that asks for ever is neither ready nor has it failed, unless it asks so often that it is cut off.
    assert.equal(codes[3], 'OPERATION_PENDING');
    assert.ok(codes[4] === 'OPERATION_PENDING' || codes[4] === 'MODULE_START_FAILED', codes[4]);
    const [dies] = answers;
    assert.match(
      dies !== undefined && 'error' in dies ? dies.error.message : '',
      /exit:9.*the broker still tries/,
    );

    await waitFor('who asks too fast to be told so', () =>
      broker.stderr.some((line) => line.endsWith('[asks_at_once] OVERLOADED')),
    );
    const { result } = await natsCall(broker.url, 'accounts.deposit.ann', '{"amount":1}');
    assert.equal(result.status, 'ok', 'others are served');
    const epochs = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
      const times = new Map<string, number[]>();
      await checkLog(broker.dataDir, ({ subject, data, timeMs }) => {
        if (!subject.startsWith('epoch.')) return;
        const { phase, producer } = JSON.parse(new TextDecoder().decode(data)) as EpochRecord;
        if (phase === 'open') times.set(producer, [...(times.get(producer) ?? []), timeMs]);
      });
      return times;
    };
    const times = await waitFor(
      'those that ask for ever to be held back',
      async () => {
        const found = await epochs();
        const isHeld = (name: string): boolean => (found.get(name)?.length ?? 0) > EPOCH_BURST;
        return isHeld('asks_again') && isHeld('asks_at_once') && found;
      },
      60_000,
    );
    for (const name of Object.keys(STORMS)) {
      const opened = times.get(name) ?? [];
      const span = (opened.at(-1) ?? 0) - (opened[0] ?? 0);
      t.diagnostic(`${name}: ${opened.length} epochs within ${span} ms`);
      for (const [i, from] of opened.entries()) {
        for (let j = i; j < opened.length; j++) {
          // An epoch is opened some time after it was let.
          const most = EPOCH_BURST + 1 + Math.ceil(((opened[j] as number) - from) / EPOCH_INTERVAL_MS);
          assert.ok(
            j - i + 1 <= most,
            `${name}: ${j - i + 1} epochs within ${(opened[j] as number) - from} ms`,
          );
        }
      }
    }
  } finally {
    await nc.close();
  }
});
