import assert from 'node:assert/strict';
import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../support/broker.js';
import { moduleStatuses } from '../support/modules.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { writePatients } from './patients-module.js';
import { tallystick } from './tallystick.js';

interface Answer {
  readonly seq?: number;
  readonly data?: { readonly name?: string };
  readonly error?: { readonly code: string };
}

const ask = async (broker: TestBroker, subject: string, data: object): Promise<Answer> => {
  const nc = await connect({ servers: broker.url });
  try {
    return (await nc.request(subject, JSON.stringify(data), { timeout: 20_000 })).json<Answer>();
  } finally {
    await nc.close();
  }
};

const isRefused = async (broker: TestBroker): Promise<void> =>
  waitFor('a reason that names the keys', async () =>
    ((await moduleStatuses(broker)).get('patients')?.reason ?? '').includes('keys') ? true : undefined,
  ).then(() => undefined);

describe('a data directory without its keys', () => {
  it('makes no others, stores nothing in plain text, and works again with them', async () => {
    await using home = tempDir();
    const dataDir = join(home.path, 'data');
    const change = { limits: { crashes: 1, startMs: 20_000 } };
    const dir = writePatients(home.path, 'patients', true, change);
    const args = ['--durability', 'os', '--module', dir];
    const out = join(home.path, 'log.jsonl');
    {
      await using broker = await startBroker({ dataDir, shipped: [], args });
      await ask(broker, 'call.patients.admit.anna', { name: 'Xanthippe' });
      const exported = await tallystick(['replay', 'export', '--out', out, '--data', dataDir]);
      assert.equal(exported.code, 0, exported.stderr);
    }
    renameSync(join(dataDir, 'seals'), join(home.path, 'seals'));
    {
      await using broker = await startBroker({ dataDir, shipped: [], args });
      await isRefused(broker);
      const sent = await ask(broker, 'cmd.patients.admit.anna', { name: 'Xanthippe' });
      assert.equal(sent.error?.code, 'SEALED');
    }
    renameSync(join(home.path, 'seals'), join(dataDir, 'seals'));
    {
      await using broker = await startBroker({ dataDir, shipped: [], args });
      assert.equal((await ask(broker, 'call.patients.look.anna', {})).data?.name, 'Xanthippe');
    }
    // Another broker with the log alone.
    const other = join(home.path, 'other');
    const imported = await tallystick(['replay', 'import', out, '--data', other]);
    assert.equal(imported.code, 0, imported.stderr);
    {
      await using broker = await startBroker({ dataDir: other, shipped: [], args });
      await isRefused(broker);
    }
    for (const name of [join('seals', 'patients.json'), join('keys', 'seals.key')])
      cpSync(join(dataDir, name), join(other, name));
    {
      await using broker = await startBroker({ dataDir: other, shipped: [], args });
      await tallystick(['module', 'load', dir, '--data', other]);
      assert.equal((await ask(broker, 'call.patients.look.anna', {})).data?.name, 'Xanthippe');
    }
  });
});
