import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import type { Manifest } from '../../schemas/manifest.js';
import { startBroker, type TestBroker } from './broker.js';
import { connectOperator } from './log-checks.js';
import { writeSourceModule } from './source-module.js';
import { tempDir } from './temp-dir.js';

/** A broker with one module that is written as text, and connections of the operator and of a guest. */
export interface SourceBroker extends AsyncDisposable {
  readonly broker: TestBroker;
  readonly operator: NatsConnection;
  readonly guest: NatsConnection;
}

export const startSourceBroker = async (
  manifest: Manifest,
  files: Readonly<Record<string, string>>,
): Promise<SourceBroker> => {
  const dir = tempDir();
  const module = writeSourceModule(join(dir.path, manifest.name), manifest, {
    'package.json': '{"type":"module"}',
    ...files,
  });
  const broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', '--module', module] });
  const operator = await connectOperator(broker.dataDir);
  const guest = await connect({ servers: broker.url });
  return {
    broker,
    operator,
    guest,
    [Symbol.asyncDispose]: async () => {
      await guest.close();
      await operator.close();
      await broker[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
};
