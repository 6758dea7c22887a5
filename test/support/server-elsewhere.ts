import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { tallystick } from './broker.js';
import { type ServerOptions, startServer, type TestServer } from './server.js';

/** Has a broker that finds no server write the accounts that one elsewhere must include. */
export const writeAccounts = async (dataDir: string, args: readonly string[] = []): Promise<void> => {
  const { code } = await tallystick(['start', ...args, '--nats', 'nats://127.0.0.1:1'], { dataDir });
  assert.equal(code, 3);
  assert.ok(existsSync(join(dataDir, 'accounts.conf')));
};

/** A server with those accounts. The data directory lies in a folder of the test's own. */
export const startServerElsewhere = (dataDir: string, options: ServerOptions = {}): Promise<TestServer> => {
  // nats-server reads the path of an include as relative to the file that has it, which lies in such a folder too.
  const config = `include "../${basename(dirname(dataDir))}/${basename(dataDir)}/accounts.conf"`;
  return startServer({ ...options, config });
};
