import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import type { Manifest } from '../../schemas/manifest.js';
import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import { pause } from '../../system/async/pause.js';

export const HOSTILE = 'mallory';
export const CREDENTIAL_FILE = 'credential.json';

/** What the process of the module leaves in its directory. */
export interface GivenAway {
  readonly pid: number;
  readonly seed: string;
}

const MANIFEST: Manifest = {
  name: HOSTILE,
  version: '1.0.0',
  description: 'Gives its credential away, and handles no command.',
  actions: { hang: { input: true, output: true } },
  events: { seen: { data: true } },
  dependencies: { accounts: ['deposit'] },
  cage: { write: ['.'] },
  start: { command: [process.execPath, fileURLToPath(new URL('./giveaway-main.js', import.meta.url))] },
};

/** Makes `dir` the directory of the hostile module. */
export const writeHostileModule = (dir: string): void => {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(MANIFEST));
};

const ASK = { timeout: 30_000 };
const WAIT_MS = 30_000;

const givenAway = (dir: string): GivenAway | undefined => {
  try {
    return JSON.parse(readFileSync(join(dir, CREDENTIAL_FILE), 'utf8')) as GivenAway;
  } catch {
    return undefined;
  }
};

/** The credential of the process that runs now. A flood before may have cost the module its process. */
export const credentialOf = async (operator: NatsConnection, dir: string): Promise<string> => {
  const until = performance.now() + WAIT_MS;
  while (performance.now() < until) {
    const listed = (await linkedRequest(operator, OPS.moduleList, '{}', ASK)).json<{
      readonly modules: readonly ModuleStatus[];
    }>();
    const module = listed.modules.find(({ name }) => name === HOSTILE);
    const given = givenAway(dir);
    if (module?.state === 'loaded' && given !== undefined && given.pid === module.pid) return given.seed;
    if (module?.state === 'crashed')
      await linkedRequest(operator, OPS.moduleReload, JSON.stringify({ name: HOSTILE, untried: true }), ASK);
    await pause(250);
  }
  throw new Error(`the module ${HOSTILE} does not run`);
};
