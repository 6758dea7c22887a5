import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { dial } from '../../link/dial.js';
import { ADDRESS_FILE, type BrokerAddress } from '../../schemas/operate.js';

/** A connection as operator to the broker whose data directory this is. */
export const connectOperator = (dataDir: string): Promise<NatsConnection> => {
  const address = JSON.parse(readFileSync(join(dataDir, ADDRESS_FILE), 'utf8')) as BrokerAddress;
  const seed = readFileSync(resolve(dataDir, address.operatorSeed), 'utf8').trim();
  return dial({
    servers: address.nats,
    authenticator: authenticatorOf(seed),
    redialMs: 50,
  });
};
