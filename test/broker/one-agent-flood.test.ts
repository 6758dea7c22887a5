import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import { startBroker } from '../support/broker.js';
import { soundLog } from '../support/log-checks.js';
import { sourceManifest, writeSourceModule } from '../support/source-module.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const NAME = 'keeper';
/** More than a module's process holds in memory. */
const MANY = 11_000;

const MANIFEST = sourceManifest(NAME, {
  actions: { add: { input: { type: 'object' }, output: {}, concurrency: 4, deadlineMs: 300_000 } },
  limits: { crashes: 10 },
});

/** Handles what is for `busy` once a file is there, and all else at once. */
const code = (gate: string): string => `
import { existsSync } from 'node:fs';
const manifest = ${JSON.stringify(MANIFEST)};
const open = async () => {
  while (!existsSync(${JSON.stringify(gate)})) await new Promise((resume) => setTimeout(resume, 20));
};
export default {
  manifest,
  initial: { sum: 0 },
  actions: {
    add: {
      run: ({ agent, data: { n } }) => async () => {
        if (agent === 'busy') await open();
        return { _tag: 'Right', right: { data: { n }, events: [{ name: 'added', data: { n } }] } };
      },
    },
  },
  evolve: { added: ({ sum }, { n }) => ({ sum: sum + n }) },
};
`;

const sendMany = async (nc: NatsConnection, from: number, to: number): Promise<void> => {
  for (let n = from; n < to; n += 1_000) {
    const group = Array.from({ length: Math.min(1_000, to - n) }, (_, i) =>
      nc.request(`cmd.${NAME}.add.busy`, `{"n":${n + i}}`, { timeout: 60_000 }),
    );
    for (const answer of await Promise.all(group))
      assert.ok(answer.json<{ seq?: number }>().seq, answer.string());
  }
};

const isAnswered = async (nc: NatsConnection, agent: string, urgent = false): Promise<void> => {
  const marked = headers();
  if (urgent) marked.set(HEADER.priority, 'urgent');
  const options = { timeout: 30_000, headers: marked };
  const answer = await nc.request(`call.${NAME}.add.${agent}`, '{"n":1}', options);
  assert.equal(answer.json<{ status: string }>().status, 'ok', answer.string());
};

describe('the commands of one agent that nobody could hold in memory', () => {
  it('I5 hold up no other agent, before and after a kill, and are all handled in their order', async () => {
    await using home = tempDir();
    const gate = join(home.path, 'gate');
    const dir = writeSourceModule(join(home.path, NAME), MANIFEST, {
      'package.json': '{"type":"module"}',
      'index.js': code(gate),
    });
    await using broker = await startBroker({ args: ['--no-shipped', '--module', dir, '--durability', 'os'] });
    const nc = await connect({ servers: broker.url });
    await sendMany(nc, 1, MANY + 1);
    await isAnswered(nc, 'other');
    await isAnswered(nc, 'another', true);
    process.kill(broker.ready.modules[0]?.pid as number, 'SIGKILL');
    await waitFor('the next process to be ready', () => isAnswered(nc, 'other').then(() => true));
    assert.equal(existsSync(gate), false);
    writeFileSync(gate, '');
    // Behind all of them.
    await nc.request(`call.${NAME}.add.busy`, `{"n":${MANY + 1}}`, { timeout: 120_000 });
    await soundLog(broker.dataDir);
    await nc.close();
  });
});
