import type { NatsConnection } from 'nats';
import { ModuleConfigs } from '../../broker/config/module-configs.js';
import { readModule } from '../../broker/supervisor/manifest-file.js';
import { configKeys } from '../../schemas/module-config.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { orThrow, runOrThrow } from '../../system/lifetime.js';
import { configOfNow } from './replay-config.js';
import type { SandboxModule } from './sandbox-modules.js';

/** The account of values that a replay has set. */
const BY = 'replay';

/** Gives the modules of a sandbox the configuration of now. It has no secret: a stand-in is in its place. Throws. */
export const configureSandbox = async (
  nc: NatsConnection,
  dataDir: string,
  modules: readonly SandboxModule[],
): Promise<void> => {
  for (const { name, dir } of modules) {
    const { manifest } = orThrow(readModule(dir));
    if (manifest.config === undefined) continue;
    const values = await runOrThrow(configOfNow(nc, manifest));
    // A sandbox that begins with the first record has no directory yet.
    makeDirs(dataDir);
    const configs = orThrow(ModuleConfigs.open(dataDir));
    for (const declared of configKeys(manifest)) {
      const value = values[declared.key];
      if (value !== undefined) orThrow(configs.set(name, declared, value, BY));
    }
  }
};
