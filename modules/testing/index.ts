/** Given, when, then for the handlers of a module; for tests only. */
export { type ScriptedReply, answered, rejected } from './scripted-calls.js';
export {
  type AgentSpecification,
  type ExpectedOfEffect,
  type CommandOptions,
  type Expected,
  type ExpectedWithCalls,
  type ExpectedOfCommand,
  type Specification,
  specification,
} from './specification.js';
