// winnow-llm/batch: rows by the million.
export { scoreRows } from './score-rows.js';
export type { ScoredRow } from './score-rows.js';
export type { RowError } from './row-error.js';
export type { ScoreRow, ScoreRowsOptions } from '../options.js';
