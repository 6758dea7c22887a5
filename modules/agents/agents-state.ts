import { EMPTY_REGISTER, type Register } from './register.js';

export interface Agent {
  readonly status: 'active' | 'retired';
  readonly kind: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** In the order in which they were assigned. */
  readonly conversations: readonly number[];
  /** When it took its status, RFC 3339. */
  readonly since: string;
}

/** One of the two: an agent has its own part, the module itself has the register. */
export interface AgentsState {
  readonly agent?: Agent;
  readonly register?: Register;
}

export const INITIAL_AGENTS_STATE: AgentsState = {};

/** Conversations are part of the state that each assignment copies. */
export const MAX_CONVERSATIONS = 10_000;

export const registerOf = ({ register }: AgentsState): Register => register ?? EMPTY_REGISTER;

export const stateOf = (agent: Agent): AgentsState => ({ agent });

/** Changes the agent's own part; an event that needs one never comes before `spawned`. */
export const withAgent = (state: AgentsState, change: (agent: Agent) => Agent): AgentsState =>
  state.agent === undefined ? state : stateOf(change(state.agent));
