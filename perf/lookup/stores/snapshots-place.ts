import { join } from 'node:path';
import { openAgents } from '../../../store/snapshots/index.js';
import { Snapshots } from '../../../store/snapshots/snapshots.js';
import accounts from '../../../modules/accounts/index.js';
import { States } from '../../../modules/host/states.js';
import type { AnyModule } from '../../../modules/sdk/module-shape.js';
import { type FoundState, MODULE } from './population.js';
import type { StateReader, StateWriter } from './store.js';

/** As a module's host does it: each event is folded into its agent's state, and what changed is written behind that. */
export const snapshotsWriter = async (dataDir: string): Promise<StateWriter> => {
  // Whatever it has to say is of snapshots that are not written.
  let trouble: string | undefined;
  const say = (line: string): void => {
    trouble ??= line;
  };
  const check = (): void => {
    if (trouble !== undefined) throw new Error(trouble);
  };
  const snapshots = await Snapshots.open(join(dataDir, 'snapshots', MODULE), '', say);
  const states = new States(accounts as unknown as AnyModule, snapshots.generation, 'lookup', say);
  return {
    put: async (changes) => {
      for (const { agent, seq, timeMs } of changes) {
        const { balance } = states.get(agent) as { readonly balance: number };
        states.apply(agent, seq, timeMs, [{ name: 'deposited', data: { amount: seq - balance } }]);
      }
      // It is too slow for the rate, and waits as a host does that follows events, so that what it reaches is told.
      if (states.isFull) await states.room();
      check();
    },
    settle: async () => {
      await states.saved();
      check();
      snapshots.publish();
    },
    close: async () => {
      await states.close();
      await snapshots.close();
    },
  };
};

/** As a program outside does it. */
export const snapshotsReader = (dataDir: string): StateReader => {
  const agents = openAgents(dataDir);
  return {
    get: { sync: (agent) => agents.get(MODULE, agent) as FoundState | undefined },
    close: () => agents.close(),
  };
};
