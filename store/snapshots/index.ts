/** Agents looked up from any process; what a program outside imports as `tallystick/agents`. */
export { type Agents, openAgents } from './all-agents.js';
export {
  type AgentPage,
  type AgentState,
  type ListedAgent,
  type ListOptions,
  ModuleAgents,
  type PastAgent,
} from './module-agents.js';
export type { StoredSnapshot } from './generation.js';
export type { SnapshotPosition } from './snapshot-files.js';
