/** What the log says: reading it back for people and programs. */
export { type LineStyle, lineFormatter } from './format-line.js';
export { type HistoryQuery, history } from './history.js';
export { historyFilters, type Selection } from './history-filters.js';
