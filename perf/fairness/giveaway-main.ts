/**
 * A module that leaves its credential in its directory and handles no command: what an attacker has who got hold of a
 * module. It takes part just enough to be loaded.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import {
  BEAT_INTERVAL_MS,
  beatSubject,
  MODULE_ENV,
  readySubject,
  startSubject,
} from '../../schemas/control.js';
import { CREDENTIAL_FILE, type GivenAway } from './hostile-module.js';

const env = (variable: string): string => process.env[variable] ?? '';
const [self, seed] = [env(MODULE_ENV.name), env(MODULE_ENV.seed)];
const nc = await connect({ servers: env(MODULE_ENV.url), authenticator: authenticatorOf(seed) });
const options = { timeout: 30_000 };
await nc.request(startSubject(self), JSON.stringify({ snapshotSeq: 0, logId: null }), options);
const given: GivenAway = { pid: process.pid, seed };
writeFileSync(join(process.cwd(), CREDENTIAL_FILE), JSON.stringify(given));
await nc.request(readySubject(self), JSON.stringify({ pid: process.pid }), options);
const beat = JSON.stringify({ pid: process.pid, handled: 0, pending: 0, agents: 0 });
setInterval(() => nc.publish(beatSubject(self), beat), BEAT_INTERVAL_MS);
