import { resolve } from 'node:path';
import type { StartConfig } from '../schemas/config.js';
import { type Lifetime, orThrow, runOrThrow } from '../system/lifetime.js';
import { claimDataDir } from '../system/processes/owner.js';
import { Principals } from './access/principals.js';
import type { BrokerEnvironment } from './broker-environment.js';
import { ModuleConfigs } from './config/module-configs.js';
import { checkImportFinished } from './log/import-mark.js';
import { inspectPortsOf } from './supervisor/inspect-ports.js';
import { type ModuleSource, readModule } from './supervisor/manifest-file.js';
import { Sealing } from './sealing/sealing.js';
import { MarksMemory } from './supervisor/marks-memory.js';
import { ModuleMemory } from './supervisor/module-memory.js';
import { type PlannedStart, type Rest, startPlan } from './supervisor/start-plan.js';

/** What the data directory and the command line say before there is a server. */
export interface DataDirectory {
  /** Absolute path. */
  readonly dataDir: string;
  readonly memory: ModuleMemory;
  readonly marks: MarksMemory;
  readonly sealing: Sealing;
  readonly configs: ModuleConfigs;
  readonly principals: Principals;
  /** The modules that this start makes known. */
  readonly plan: readonly PlannedStart[];
  readonly inspectPorts: ReadonlyMap<string, number>;
}

/**
 * Claims the data directory until the broker stops, and reads what it remembers. Throws the fault that stops a start.
 */
export const openDataDirectory = async (
  config: StartConfig,
  { shippedModules, log }: BrokerEnvironment,
  lifetime: Lifetime,
): Promise<DataDirectory> => {
  const dataDir = resolve(config.dataDir);
  const sources = (dirs: readonly string[]): readonly ModuleSource[] =>
    dirs.map((dir) => orThrow(readModule(dir)));
  const shipped = sources(config.shipped ? shippedModules : []);
  const given = sources(config.modules);
  const claim = await runOrThrow(claimDataDir(dataDir));
  lifetime.onStop(() => claim.release());
  orThrow(checkImportFinished(dataDir));
  const memory = orThrow(ModuleMemory.open(dataDir));
  const marks = orThrow(MarksMemory.open(dataDir, (text) => log.line('supervisor', text, { level: 'warn' })));
  const sealing = orThrow(
    Sealing.open(dataDir, (name, text) =>
      log.line('supervisor', `${name}: ${text}`, { level: 'warn', module: name }),
    ),
  );
  const configs = orThrow(ModuleConfigs.open(dataDir));
  const isShipped = (dir: string): boolean => shippedModules.some((each) => resolve(each) === dir);
  const principals = orThrow(Principals.open(dataDir, (text) => log.line('access', text, { level: 'warn' })));
  lifetime.onStop(() => principals.close());
  const { grant } = config;
  const plan = startPlan({ shipped, given, isShipped, remembered: memory.all, read: readModule, grant });
  const inspectPorts = orThrow(inspectPortsOf(config.inspected, plan));
  return { dataDir, memory, marks, sealing, configs, principals, plan, inspectPorts };
};

/** The line about a module that is known but is not started. */
export const restText = ({ dir, manifest: { name } }: ModuleSource, { state, reason }: Rest): string =>
  reason === null
    ? `${name} was unloaded and stays so: \`tallystick module load ${dir}\` starts it`
    : `${name} is ${state}: ${reason}`;
