import type { PoolOutcome, PoolTask } from './messages.js' with { 'resolution-mode': 'import' };

// What a worker thread of the pool begins with. Piscina first tries `require()`, and since Node 20.19 that loads ES
// modules too, at once: a thread that is terminated in the middle of it takes the process with it (V8:
// "IsGraphAsync must be used on an instantiated module"). import() ends with its thread.
const runTask = async (task: PoolTask): Promise<PoolOutcome> => (await import('./worker.js')).default(task);

export = runTask;
