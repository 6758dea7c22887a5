/** What the log says: reading it back for people and programs. */
export { type Checked, type CheckedModule, type CheckOptions, checkSnapshots } from './rebuild/check.js';
export type { Difference } from './rebuild/comparison.js';
export { type LineStyle, lineFormatter } from './history/format-line.js';
export { type ModuleNames, type Selection, subjectFilters } from '../broker/journal/subject-filters.js';
export { history } from './history/history.js';
export type { HistoryEnd, HistoryQuery } from './history/query.js';
export {
  adoptRebuilt,
  type Rebuilt,
  type RebuiltModule,
  rebuildSnapshots,
} from './rebuild/rebuild.js';
export type { WholeFoldOptions } from './rebuild/whole-fold.js';
export { type PastState, type StateAtQuery, stateAt } from './fold/state-at.js';
export { traceHtml } from './trace/html.js';
export { traceJson } from './trace/json.js';
export { traceMermaid } from './trace/mermaid.js';
export type { Outcome, OutcomeError } from './trace/outcome.js';
export { type ReadTrace, readTrace, type TraceQuery, type TraceRead } from './trace/read-trace.js';
export { type TraceStyle, traceText } from './trace/text.js';
export type { Handling, Role, Span, Trace, TraceNode } from './trace/trace.js';
export { type TraceOptions, traceOf } from './trace/trace-of.js';
export { toTraceRecord, type TraceRecord } from './trace/trace-record.js';
export type { WalkOptions } from './trace/walk.js';
