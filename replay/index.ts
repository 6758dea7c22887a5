/** What the log says: reading it back for people and programs. */
export { type Checked, type CheckedModule, type CheckOptions, checkSnapshots } from './check.js';
export type { Difference } from './comparison.js';
export { type LineStyle, lineFormatter } from './format-line.js';
export { type ModuleNames, type Selection, subjectFilters } from '../broker/journal/subject-filters.js';
export { type HistoryQuery, history } from './history.js';
export {
  adoptRebuilt,
  type Rebuilt,
  type RebuiltModule,
  type RebuildOptions,
  rebuildSnapshots,
} from './rebuild.js';
export { type PastState, type StateAtQuery, stateAt } from './state-at.js';
