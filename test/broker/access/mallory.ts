import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, nkeyAuthenticator } from 'nats';
import {
  BEAT_INTERVAL_MS,
  beatSubject,
  MODULE_ENV,
  readySubject,
  startSubject,
} from '../../../schemas/control.js';

/**
 * A module that gives its credential away: what an attacker has who got hold of a module. It takes part just enough to
 * be loaded, and handles nothing.
 */
const { name, url, seed, instance } = MODULE_ENV;
const env = (variable: string): string => process.env[variable] ?? '';

const nc = await connect({
  servers: env(url),
  authenticator: nkeyAuthenticator(new TextEncoder().encode(env(seed))),
});
const self = env(name);
const ofProcess = { instance: env(instance) };

/** A server that is started again answers nothing that was on its way: it is asked again. */
const ask = async (subject: string, body: object): Promise<void> => {
  for (let left = 15; ; left--) {
    try {
      await nc.request(subject, JSON.stringify({ ...body, ...ofProcess }), { timeout: 2_000 });
      return;
    } catch (error) {
      if (left === 0) throw error;
    }
  }
};

await ask(startSubject(self), { snapshotSeq: 0, logId: null });
writeFileSync(
  join(process.cwd(), 'loot.json'),
  JSON.stringify({ seed: env(seed), environment: process.env }),
);
await ask(readySubject(self), { pid: process.pid });
const beat = JSON.stringify({ pid: process.pid, handled: 0, pending: 0, agents: 0, ...ofProcess });
setInterval(() => nc.publish(beatSubject(self), beat), BEAT_INTERVAL_MS);
