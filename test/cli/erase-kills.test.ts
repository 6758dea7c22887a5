import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'nats';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import { startBroker } from '../support/broker.js';
import { tempDir } from '../support/temp-dir.js';
import { writePatients } from './patients-module.js';
import { tallystick } from './tallystick.js';

const TIMEOUT = { timeout: 20_000 };

interface Answer {
  readonly data?: { readonly name?: string };
  readonly error?: { readonly code: string };
}

describe('an erasure that is interrupted', () => {
  it('has removed the key or not, and never gives it back', async () => {
    await using home = tempDir();
    const dataDir = join(home.path, 'data');
    const fail = join(home.path, 'fail');
    mkdirSync(fail);
    const args = ['--durability', 'os', '--module', writePatients(home.path, 'patients', true)];
    const env = { [FAIL_VARIABLE]: fail };
    const points = ['erase.replacing', 'erase.replaced', 'erase.shredded'];
    const names = [...points, 'rest'];
    for (const point of [...points, undefined]) {
      if (point !== undefined) writeFileSync(join(fail, 'broker'), `${point}@1:kill`);
      const broker = await startBroker({ dataDir, shipped: [], args, env });
      const guest = await connect({ servers: broker.url });
      const isErased = async (name: string): Promise<boolean> => {
        const agent = name.replace('.', '-');
        const reply = await guest.request(`call.patients.look.${agent}`, '{}', TIMEOUT);
        const { data, error } = reply.json<Answer>();
        assert.ok(data?.name === `name of ${name}` || error?.code === 'AGENT_ERASED', reply.string());
        return error !== undefined;
      };
      if (point === points[0])
        for (const name of names) {
          const body = JSON.stringify({ name: `name of ${name}` });
          await guest.request(`call.patients.admit.${name.replace('.', '-')}`, body, TIMEOUT);
        }
      // From the replacement of the file on, the key is gone.
      const erased = await Promise.all(names.map(isErased));
      assert.deepEqual(
        names.filter((_, i) => erased[i]),
        points.slice(1, points.indexOf(point ?? '') === -1 ? undefined : points.indexOf(point ?? '')),
      );
      assert.deepEqual(readdirSync(join(dataDir, 'seals')), ['patients.json']);
      const target = ['agent', 'erase', 'patients', (point ?? 'rest').replace('.', '-'), '--yes'];
      const asked = await tallystick([...target, '--data', dataDir, '--timeout', '5s'], { cwd: home.path });
      assert.equal(asked.code === 0, point === undefined, asked.stderr);
      await guest.close();
      if (point !== undefined) await broker.exited;
      await broker[Symbol.asyncDispose]();
    }
  });
});
