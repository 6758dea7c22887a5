import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect } from 'nats';
import type { Manifest } from '../../../schemas/manifest.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { soundLog } from '../../support/log-checks.js';
import { writeManifest } from '../../support/module-dir.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const RAW = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', 'raw');

/** How many commands are sent, in how many records each life of the module ends, and whether the broker is killed too. */
const plan = fc.record({
  commands: fc.integer({ min: 5, max: 60 }),
  lives: fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
  killsBroker: fc.boolean(),
});
const ROUNDS = 2;

test('I3 I4 a module that acknowledges on delivery and dies leaves no command without a result and no outcome without copies', async (t) => {
  await using home = tempDir();
  const manifest = JSON.parse(readFileSync(join(RAW, 'manifest.json'), 'utf8')) as Manifest;
  const dir = await writeManifest(join(home.path, 'raw'), {
    ...manifest,
    limits: { ...manifest.limits, crashes: 100 },
    // The program keeps its plan in its own directory.
    cage: { write: ['.'] },
    start: { command: ['node', join(RAW, 'main.js')] },
  });
  const dataDir = join(home.path, 'data');
  let broker: TestBroker | undefined;
  t.after(() => broker?.[Symbol.asyncDispose]());
  const start = () => startBroker({ dataDir, args: ['--no-shipped', '--durability', 'os', '--module', dir] });
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  for (const { commands, lives, killsBroker } of fc.sample(plan, { seed, numRuns: ROUNDS })) {
    // Each life ends a few records later, the first one may end with a result that lacks its copy.
    writeFileSync(join(dir, 'plan.json'), JSON.stringify({ acks: 'delivery', lives }));
    broker = await start();
    const nc = await connect({ servers: broker.url });
    const sent = Array.from({ length: commands }, (_, i) =>
      nc.request(`cmd.raw.add.a${i % 7}`, `{"n":${i}}`, { timeout: 30_000 }),
    );
    const seqs = (await Promise.all(sent)).map((reply) => {
      const { stream, seq } = reply.json<{ stream: string; seq: number }>();
      assert.equal(stream, 'LOG');
      return seq;
    });
    await nc.close();
    if (killsBroker) {
      await broker.kill('SIGKILL');
      broker = await start();
    }
    // A life that needs more records than there are does not end: the round does not wait for it.
    const withResults = Math.max(...seqs) + commands;
    await waitFor(
      'every command to have its result',
      async () => {
        const now = await brokerStatus(dataDir);
        if (now.conversationsOpen === 0 && now.log.lastSeq >= withResults) return true;
        throw new Error(JSON.stringify({ ...now, plan: readFileSync(join(dir, 'plan.json'), 'utf8') }));
      },
      40_000,
    );
    await broker.stop();
    // A repair comes with a start: a result that was the last record of a life has its copy by now, or gets it.
    broker = await start();
    await soundLog(dataDir);
    await broker.stop();
  }
});
