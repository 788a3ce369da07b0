import type { Model } from '../index.js';
import { resolveModel } from '../models/index.js';
import type { ResolvedRunBatchOptions, RunBatchOptions } from '../options.js';
import { resolveRunBatchOptions } from '../options.js';
import { rowSeed } from '../row-seed.js';
import { formatOf } from './format.js';
import type { EndedRow } from './job.js';
import { runJob } from './job.js';
import { LazyModel } from './lazy-model.js';
import type { RowFields } from './map-rows.js';
import { mapRows, rowKey } from './map-rows.js';
import { answerOpenAiRows } from './openai-rows.js';
import type { InputRow } from './read.js';
import { batchRecipes } from './recipes.js';
import type { BatchReport } from './score-file.js';

/**
 * Makes an answer of every row of a file, as `winnow batch` does: by a recipe, or as OpenAI's Batch would. A run that was
 * ended, however, goes on where it stopped when it is started again. Throws JobError for files, OptionError, what
 * `loadModel()` throws, and the signal's reason; what is wrong with a row is its result.
 *
 * @example
 * const { rows, errors } = await runBatch({ model: 'smollm2-135m', input: 'prompts.jsonl', output: 'texts.jsonl' });
 */
export async function runBatch(options: RunBatchOptions): Promise<BatchReport> {
  const resolved = resolveRunBatchOptions(options);
  const { signal, load, input, output, csv, format, recipe, drawing, candidates, onProgress } = resolved;
  const { paths } = await resolveModel(resolved.model, { signal, cacheFolder: load.cacheFolder });
  const engine = new LazyModel(resolved.model, load, signal);
  try {
    const report = await runJob(
      {
        ...resolved,
        kind: 'batch',
        inputFormat: formatOf(input, csv && input === '-'),
        outputFormat: formatOf(output, csv),
        model: paths,
        options: { format, recipe, drawing, candidates },
        keep: [...resolved.keep],
        idField: format === 'openai' ? 'custom_id' : 'id',
        onProgress: onProgress && ((progress) => onProgress(engine.describe(progress))),
      },
      async (rows, started) => answerRows(await engine.open(), rows, started, resolved),
    );
    return engine.describe(report);
  } finally {
    await engine.close();
  }
}

function answerRows(
  model: Model,
  rows: AsyncIterable<InputRow>,
  started: Date,
  options: ResolvedRunBatchOptions,
): AsyncGenerator<EndedRow, void> {
  const { format, drawing, signal } = options;
  if (format === 'openai') return answerOpenAiRows(model, rows, { seed: drawing.seed, started, signal });
  return runRecipe(model, rows, options);
}

const usualTokens = 256; // As `maxTokens` is by default.

async function* runRecipe(
  model: Model,
  rows: AsyncIterable<InputRow>,
  options: ResolvedRunBatchOptions,
): AsyncGenerator<EndedRow, void> {
  const { recipe, drawing, candidates, signal } = options;
  const answers = recipe === 'generate' ? 1 : candidates;
  const run = (fields: RowFields, input: InputRow, stopped: AbortSignal) => {
    const seed = rowSeed(drawing.seed, rowKey(input, 'id'));
    return batchRecipes[recipe](fields, { model, options, seed, signal: stopped });
  };
  const tokensOf = ({ maxTokens }: RowFields) => answers * (Number(maxTokens ?? drawing.maxTokens) || usualTokens);
  for await (const { input, result, error } of mapRows(model, rows, run, { tokensOf, signal }))
    yield { input, fields: error ? { error } : result, isError: error !== undefined };
}
