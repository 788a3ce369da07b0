import type { EndedRow } from '../batch/job.js';
import { mapRows, rowKey } from '../batch/map-rows.js';
import type { InputRow } from '../batch/read.js';
import { rowSeed } from '../row-seed.js';
import type { AnyTask, Fields, TaskContext } from './task.js';

/** Runs items as they come, enough at once to fill the engine's batch. What is wrong with an item is its row's error. */
export async function* runItems(
  task: AnyTask,
  context: Omit<TaskContext, 'seed' | 'signal'>,
  rows: AsyncIterable<InputRow>,
  signal: AbortSignal | undefined,
): AsyncGenerator<EndedRow, void> {
  const run = async (fields: Fields, input: InputRow, stopped: AbortSignal) => {
    const seed = rowSeed(context.options.seed, rowKey(input, 'id'));
    return (await task.run(task.read(fields), { ...context, seed, signal: stopped })) as Fields;
  };
  for await (const { input, result, error } of mapRows(context.model, rows, run, { signal }))
    yield { input, fields: error ? { error } : result, isError: error !== undefined };
}
