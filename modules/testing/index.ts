/** Given, when, then for the handlers of a module; for tests only. */
export { type Answer, answered, refused } from './scripted-calls.js';
export {
  type AgentSpecification,
  type Answered,
  type CommandOptions,
  type Expected,
  type ExpectedWithCalls,
  type Handled,
  type Specification,
  specification,
} from './specification.js';
