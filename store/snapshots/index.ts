/** Agents looked up from any process; what a program outside imports as `tallystick/agents`. */
export { type Agents, openAgents } from './all-agents.js';
export {
  type AgentPage,
  type AgentState,
  type ListedAgent,
  type ListOptions,
  ModuleAgents,
  type PastAgent,
  type RawAgentState,
} from './module-agents.js';
export type { Where } from './agents-where.js';
export type { StoredSnapshot } from './generation.js';
export type { SnapshotPosition } from './snapshot-files.js';

/** The types that the signatures above need, for a program that names them. */
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../../schemas/error-table.js';
export type { Fault } from '../../schemas/errors.js';
export type { FieldValue } from '../../schemas/field-value.js';
export type { AtLeastOptions } from '../lmdb/reached.js';
