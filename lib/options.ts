// The only validation: every value that goes down is checked here, and every default stands here beside its option.
export * from './options/load.js';
export * from './options/input.js';
export * from './options/schedule.js';
export * from './options/embed.js';
export * from './options/probes.js';
export * from './options/generate.js';
export * from './options/questions.js';
export * from './options/rolling.js';
export * from './options/turn.js';
export * from './options/pool.js';
export * from './options/rows.js';
export * from './options/batch.js';
