import type { Likelihood, Model } from '../index.js';
import { resolveModel } from '../models/index.js';
import type { BatchProgress, ResolvedScoreFileOptions, ScoreFileOptions } from '../options.js';
import { resolveQuestions, resolveScoreFileOptions, resolveScoreRow } from '../options.js';
import { formatOf } from './format.js';
import type { EndedRow } from './job.js';
import { runJob } from './job.js';
import { LazyModel } from './lazy-model.js';
import type { InputRow } from './read.js';
import { scoreItems } from './score-rows.js';

export const defaultWindow = 4096; // Rows.

/** What a run over files has done. */
export interface BatchReport extends BatchProgress {
  /** An earlier run had finished: there was nothing to do. */
  wasFinished: boolean;
}

/**
 * Scores a file of rows into another, as `winnow score` does: a run that was ended, however, goes on where it stopped
 * when it is started again. Throws JobError for files, OptionError, what `loadModel()` throws, and the signal's reason;
 * what is wrong with a row is its result.
 *
 * @example
 * const { rows, errors } = await scoreFile({ model: 'smollm2-135m', input: 'rows.jsonl', output: 'scores.jsonl' });
 */
export async function scoreFile(options: ScoreFileOptions): Promise<BatchReport> {
  const resolved = resolveScoreFileOptions(options);
  const { signal, load, input, output, csv, questions } = resolved;
  const { paths } = await resolveModel(resolved.model, { signal, cacheFolder: load.cacheFolder });
  const engine = new LazyModel(resolved.model, load, signal);
  try {
    const report = await runJob(
      {
        ...resolved,
        kind: 'score',
        inputFormat: formatOf(input, csv && input === '-'),
        outputFormat: formatOf(output, csv),
        model: paths,
        options: { questions: questions ?? null },
        keep: [...resolved.keep],
        idField: 'id',
        onProgress: resolved.onProgress && ((progress) => resolved.onProgress!(engine.describe(progress))),
      },
      async (rows) => scoreInputRows(await engine.open(), rows, resolved),
    );
    return engine.describe(report);
  } finally {
    await engine.close();
  }
}

/** @internal */
export async function* scoreInputRows(
  model: Model,
  rows: AsyncIterable<InputRow>,
  { questions, signal }: Pick<ResolvedScoreFileOptions, 'questions' | 'signal'>,
): AsyncGenerator<EndedRow, void> {
  const { vocabularySize } = model.info;
  const asked = questions && resolveQuestions(questions, vocabularySize);
  const resolve = ({ fields, error }: InputRow) => {
    if (error) throw error;
    return resolveScoreRow(fields, asked, vocabularySize);
  };
  const scored = scoreItems(model, rows, resolve, { ordered: false, window: defaultWindow, signal });
  for await (const { item: input, scores, answers, error } of scored) {
    const results = { ...(scores && { scores: scores.map(summary) }), ...(answers && { answers }) };
    yield { input, fields: error ? { error } : results, isError: error !== undefined };
  }
}

const summary = ({ logprob, tokens, isGreedy }: Likelihood) => ({ logprob, tokens, isGreedy });
