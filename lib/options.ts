// The only validation: every value that goes down is checked here, and every default stands here beside its option.
export * from './options/load.js';
export * from './options/input.js';
export * from './options/schedule.js';
export * from './options/generate.js';
export * from './options/candidate-checks.js';
export * from './options/decoding.js';
export * from './options/beam.js';
export * from './options/questions.js';
export * from './options/rolling.js';
export * from './options/turn.js';
export * from './options/pool.js';
export * from './options/rows.js';
export * from './options/batch.js';
export * from './options/eval.js';
export * from './options/openai.js';
export * from './options/run-batch.js';
