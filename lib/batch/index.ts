// winnow-llm/batch: rows by the million.
export { scoreRows } from './score-rows.js';
export type { RowScores, ScoredRow } from './score-rows.js';
export { scoreFile } from './score-file.js';
export type { BatchReport } from './score-file.js';
export { runBatch } from './run-batch.js';
export { dryRunScores } from './dry-run.js';
export type { DryRun } from './dry-run.js';
export { JobError, RowDataError } from './errors.js';
export type { RowError } from './row-error.js';
export type {
  BatchProgress,
  BatchRecipeName,
  JobFileOptions,
  RowDrawing,
  RunBatchOptions,
  ScoreFileOptions,
  ScoreRow,
  ScoreRowsOptions,
} from '../options.js';
