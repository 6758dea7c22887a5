/** What the log says: reading it back for people and programs. */
export { type Checked, type CheckedModule, type CheckOptions, checkSnapshots } from './rebuild/check.js';
export type { Difference } from './rebuild/comparison.js';
export { type LineStyle, lineFormatter } from './history/format-line.js';
export { type ModuleNames, type Selection, subjectFilters } from '../broker/journal/subject-filters.js';
export { type HistoryQuery, history } from './history/history.js';
export {
  adoptRebuilt,
  type Rebuilt,
  type RebuiltModule,
  rebuildSnapshots,
} from './rebuild/rebuild.js';
export type { WholeFoldOptions } from './rebuild/whole-fold.js';
export { type PastState, type StateAtQuery, stateAt } from './fold/state-at.js';
export { compileExpression, condition } from './expression/expression.js';
export type { Scope } from './expression/evaluate.js';
export type { Json } from './expression/json-value.js';
export { type Path, parsePath, printPath, valueAt } from './expression/path.js';
export { type Change, changesBetween } from './state/changes.js';
export { type AgentStep, agentSteps, type StepsQuery } from './state/steps.js';
export { type PathChange, pathChanges, type WatchQuery } from './state/watch.js';
export { type Bisected, type BisectQuery, firstWhere } from './state/bisect.js';
export { type DiffOptions, diffModule, type ModuleVersion } from './diff/diff.js';
export type { DiffReport, OutcomeDifference } from './diff/report.js';
export type { Decided, Stopped } from './diff/messages.js';
