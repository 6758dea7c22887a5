import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { type AgentPage, type AgentState, type ListOptions, ModuleAgents } from './module-agents.js';

/**
 * Agents of all modules, looked up in the data directory of a broker by memory map; see {@link ModuleAgents}, one of
 * which is the fastest way to look at many agents of one module.
 */
export interface Agents {
  readonly module: (name: string) => ModuleAgents;
  /** Names of the modules that have snapshots. */
  readonly modules: () => readonly string[];
  readonly get: (module: string, agent: string) => AgentState | undefined;
  readonly has: (module: string, agent: string) => boolean;
  readonly list: (module: string, options?: ListOptions) => AgentPage;
  readonly count: (module: string) => number;
  readonly atLeast: (
    module: string,
    seq: number,
    options?: { readonly timeoutMs?: number },
  ) => TaskEither<Fault, void>;
  readonly close: () => Promise<void>;
}

const namesIn = (dir: string): readonly string[] => {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
};

/** Opens nothing yet: each module at the first look at one of its agents. */
export const openAgents = (dataDir: string): Agents => {
  const opened = new Map<string, ModuleAgents>();
  const module = (name: string): ModuleAgents => {
    let agents = opened.get(name);
    if (agents === undefined) {
      agents = new ModuleAgents(name, dataDir);
      opened.set(name, agents);
    }
    return agents;
  };
  return {
    module,
    modules: () => namesIn(join(dataDir, 'snapshots')),
    get: (name, agent) => module(name).get(agent),
    has: (name, agent) => module(name).has(agent),
    list: (name, options) => module(name).list(options),
    count: (name) => module(name).count(),
    atLeast: (name, seq, options) => module(name).atLeast(seq, options),
    close: async () => {
      for (const agents of opened.values()) await agents.close();
      opened.clear();
    },
  };
};
