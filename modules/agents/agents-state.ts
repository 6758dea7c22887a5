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
export interface State {
  readonly agent?: Agent;
  readonly register?: Register;
}

export const INITIAL: State = {};

/** Conversations are part of the state that each assignment copies. */
export const MAX_CONVERSATIONS = 10_000;

export const registerOf = ({ register }: State): Register => register ?? EMPTY_REGISTER;

/** Changes the agent's own part; an event that needs one never comes before `spawned`. */
export const withAgent = (state: State, change: (agent: Agent) => Agent): State =>
  state.agent === undefined ? state : { agent: change(state.agent) };
