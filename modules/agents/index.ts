import { defineModule } from '../sdk/index.js';
import { assign, info, release, retire, spawn } from './agents-deciders.js';
import { enroll, list, strike } from './listing.js';
import { agentsManifest } from './agents-manifest.js';
import * as register from './register.js';
import { INITIAL_AGENTS_STATE, registerOf, type AgentsState, withAgent } from './agents-state.js';

export default defineModule({
  manifest: agentsManifest,
  initial: INITIAL_AGENTS_STATE,
  actions: {
    spawn: { decide: spawn },
    retire: { decide: retire },
    assign: { decide: assign },
    release: { decide: release },
    info: { decide: info },
    list: { decide: list },
    enroll: { decide: enroll },
    strike: { decide: strike },
  },
  evolve: {
    spawned: (_, { kind, labels, at }): AgentsState => ({
      agent: { status: 'active', kind, labels, conversations: [], since: at },
    }),
    retired: (state, { at }) =>
      withAgent(state, (agent) => ({ ...agent, status: 'retired', conversations: [], since: at })),
    assigned: (state, { conversation }) =>
      withAgent(state, (agent) => ({ ...agent, conversations: [...agent.conversations, conversation] })),
    released: (state, { conversation }) =>
      withAgent(state, (agent) => ({
        ...agent,
        conversations: agent.conversations.filter((open) => open !== conversation),
      })),
    enrolled: (state, { agent }) => ({ register: register.withName(registerOf(state), agent) }),
    struck: (state, { agent }) => ({ register: register.withoutName(registerOf(state), agent) }),
  },
});
