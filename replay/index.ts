/** What the log says: reading it back for people and programs. */
export { type LineStyle, lineFormatter } from './format-line.js';
export { type ModuleNames, type Selection, subjectFilters } from '../broker/journal/subject-filters.js';
export { type HistoryQuery, history } from './history.js';
export { type PastState, type StateAtQuery, stateAt } from './state-at.js';
