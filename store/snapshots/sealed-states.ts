import * as E from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { AgentStates, type Snapshot } from './agent-states.js';
import type { AgentSeals } from '../seals/agent-seals.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A state as a snapshot has it: one encrypted value, whatever the module marks in it. */
const sealedState = (seals: AgentSeals, agent: string, state: unknown): string =>
  decoder.decode(seals.sealWhole(agent, 'state', encoder.encode(JSON.stringify(state))));

/** The JSON of a state that a snapshot has. Throws AGENT_ERASED and SEALED. */
export const openedState = (seals: AgentSeals, agent: string, json: Uint8Array): Uint8Array => {
  const opened = seals.open(agent, json);
  if (E.isLeft(opened)) throw new FaultError(opened.left);
  return opened.right;
};

const openedSnapshot = (
  seals: AgentSeals,
  agent: string,
  snapshot: Snapshot | undefined,
): Snapshot | undefined => {
  if (snapshot === undefined) return undefined;
  const json = openedState(seals, agent, encoder.encode(JSON.stringify(snapshot.state)));
  return { ...snapshot, state: JSON.parse(decoder.decode(json)) as unknown };
};

/** The states of a module's agents over its snapshots. With keys, snapshots have them encrypted. */
export const statesOf = (
  initial: unknown,
  stored: (agent: string) => Snapshot | undefined,
  seals: AgentSeals | undefined,
): AgentStates =>
  seals === undefined
    ? new AgentStates(initial, stored)
    : new AgentStates(
        initial,
        (agent) => openedSnapshot(seals, agent, stored(agent)),
        (agent, state) => sealedState(seals, agent, state),
      );
