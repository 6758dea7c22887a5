/** Tests of modules: given, when, then for one handler; and modules together, with their log, in one process. */
export { type ScriptedReply, answered, rejected } from './specification/scripted-calls.js';
export {
  type AgentSpecification,
  type ExpectedOfEffect,
  type CommandOptions,
  type Expected,
  type ExpectedWithCalls,
  type ExpectedOfCommand,
  type Specification,
  specification,
} from './specification/specification.js';
export {
  type InProcessOptions,
  type InProcessTally,
  type RunnableModule,
  startInProcess,
  type TestClock,
} from './in-process/in-process-tally.js';
