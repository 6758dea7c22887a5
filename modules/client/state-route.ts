import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { requestState } from '../../link/request-state.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import { toFault } from '../../schemas/errors.js';
import type { Agents, AgentState } from '../../store/snapshots/index.js';
import { Refused } from '../sdk/refused.js';
import { rejectedWith } from './module-calls.js';

/** The way of a program to the states of agents. */
export interface StateRoute {
  /** Undefined if nothing has happened to the agent. It has all results up to `atLeast`. Throws {@link Refused}. */
  readonly get: (module: string, agent: string, atLeast: number) => Promise<AgentState | undefined>;
  readonly close: () => Promise<void>;
}

/** From the files of a data directory on this machine: without a message, and without a broker. */
const byFiles = (dataDir: string): StateRoute => {
  let opened: Promise<Agents> | undefined;
  // LMDB is loaded by those who use it.
  const open = async (): Promise<Agents> =>
    (await import('../../store/snapshots/index.js')).openAgents(dataDir);
  return {
    get: async (module, agent, atLeast) => {
      opened ??= open();
      const agents = await opened;
      try {
        const reached = await agents.atLeast(module, atLeast)();
        if (isLeft(reached)) throw rejectedWith(reached.left);
        return agents.get(module, agent);
      } catch (thrown) {
        throw thrown instanceof Refused ? thrown : rejectedWith(toFault(thrown));
      }
    },
    close: async () => (await opened)?.close(),
  };
};

/** From the broker, by a request. It may be on any machine. */
const byRequests = (connection: NatsConnection): StateRoute => ({
  get: async (module, agent, atLeast) => {
    const found = await requestState(connection, { module, agent, atLeast }, undefined, PROGRAM_WORDS)();
    if (!isLeft(found)) {
      const { seq, time, schema, state } = found.right;
      return { seq, time, schema, state };
    }
    if (found.left.code === 'AGENT_UNKNOWN') return undefined;
    throw rejectedWith(found.left);
  },
  close: async () => undefined,
});

export const stateRoute = (connection: NatsConnection, dataDir: string | undefined): StateRoute =>
  dataDir === undefined ? byRequests(connection) : byFiles(dataDir);
