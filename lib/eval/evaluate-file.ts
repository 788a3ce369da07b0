import { createHash } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { packageVersion } from '../addon.js';
import { goOn, JobError } from '../batch/errors.js';
import { formatOf } from '../batch/format.js';
import type { JobReport } from '../batch/job.js';
import { runJob } from '../batch/job.js';
import { LazyModel } from '../batch/lazy-model.js';
import { readWhole } from '../batch/journal.js';
import { readRows } from '../batch/read.js';
import { readState } from '../batch/state.js';
import { resolveModel } from '../models/index.js';
import type { BatchProgress, EvalFileOptions, ResolvedEvalFileOptions } from '../options.js';
import { resolveEvalFileOptions } from '../options.js';
import { loadClassifier } from './classifier.js';
import type { EvalRow, Evaluation } from './result.js';
import { summarise } from './result.js';
import { runItems } from './run-items.js';
import { taskNamed } from './tasks/index.js';

/** A model as it was named, and the hashes of its files. */
export interface EvalModel {
  source: string;
  sha256: string[];
}

/** The content of a result file. */
export interface EvalResult extends Evaluation {
  /** Version of winnow-llm. */
  winnow: string;
  model: EvalModel;
  /** null = the model judges itself, where a task has a judge. */
  judge: EvalModel | null;
  /** Hash of the data file. */
  data: { sha256: string };
}

interface Files {
  model: string[];
  judge: string[];
}

/**
 * Runs an evaluation on a file of items into a file of its result, as `winnow eval` does: a run that was ended, however,
 * goes on where it stopped when it is started again, and ends with the same file. Throws JobError for files, EvalError for
 * a classifier, OptionError, what `loadModel()` throws, and the signal's reason; what is wrong with an item is its row.
 *
 * @example
 * const files = { data: 'truthfulqa.jsonl', output: 'result.json' };
 * const { metrics } = await evaluateFile({ task: 'truthfulqa', model: 'smollm2-135m', ...files });
 */
export async function evaluateFile(options: EvalFileOptions): Promise<EvalResult> {
  const resolved = resolveEvalFileOptions(options);
  const { load, signal } = resolved;
  const fetching = { signal, cacheFolder: load.cacheFolder };
  const pathsOf = async (source: string | undefined) =>
    source === undefined ? [] : (await resolveModel(source, fetching)).paths;
  const files = { model: await pathsOf(resolved.model), judge: await pathsOf(resolved.judge) };
  await runRows(resolved, files);
  const result = await resultOf(resolved, files);
  await writeResult(resolved.output, result);
  return result;
}

const rowsFile = (output: string) => `${output}.rows.jsonl`;

async function runRows(options: ResolvedEvalFileOptions, files: Files): Promise<JobReport> {
  const { task, data, output, load, signal, limit, force, onProgress } = options;
  const model = new LazyModel(options.model, load, signal);
  const judge = options.judge === undefined ? undefined : new LazyModel(options.judge, load, signal);
  const { seed, samples, temperature = null, topP, maxTokens = null, classifier } = options;
  const total = onProgress ? await countItems(data, limit, signal) : 0;
  const classifierHash = classifier === undefined ? null : await hashOf(classifier);
  try {
    return await runJob(
      {
        kind: `eval ${task}`,
        input: data,
        inputFormat: formatOf(data),
        output: rowsFile(output),
        outputFormat: { kind: 'jsonl', compression: 'none' },
        model: [...files.model, ...files.judge],
        options: {
          seed,
          samples,
          temperature,
          topP,
          maxTokens,
          classifier: classifierHash,
          judge: judge !== undefined,
        },
        keep: [],
        idField: 'id',
        limit,
        shard: { index: 1, count: 1 },
        duplicates: 'error',
        maxErrors: Infinity,
        ordered: true,
        force,
        signal,
        onProgress: onProgress && ((progress) => onProgress(withShare(model.describe(progress), total))),
      },
      async (rows) => {
        const opened = await model.open();
        const context = {
          model: opened,
          judge: (await judge?.open()) ?? opened,
          classifier: classifier === undefined ? undefined : await loadClassifier(classifier),
          options,
        };
        return runItems(taskNamed(task), context, rows, signal);
      },
    );
  } finally {
    await Promise.all([model.close(), judge?.close()]);
  }
}

/** Of a file that is read far ahead: how much has been read says nothing about how much is done. */
async function countItems(data: string, limit: number, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  for await (const _ of readRows(data, formatOf(data), { signal })) if (++count >= limit) break;
  return count;
}

const withShare = (progress: BatchProgress, total: number): BatchProgress => ({
  ...progress,
  share: total === 0 ? 1 : (progress.skipped + progress.rows) / total,
});

const hashOf = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

/** Of the rows alone, so that it does not matter in how many runs they came. */
async function resultOf(options: ResolvedEvalFileOptions, files: Files): Promise<EvalResult> {
  const { task, model, judge, output } = options;
  const rows: EvalRow[] = [];
  await readWhole(rowsFile(output), (line) => rows.push(JSON.parse(line) as EvalRow));
  const state = (await readState(rowsFile(output)))!;
  const hashes = state.model.map(({ sha256 }) => sha256);
  const { rows: _, ...figures } = summarise(task, options, rows);
  return {
    winnow: packageVersion(),
    model: { source: model, sha256: hashes.slice(0, files.model.length) },
    judge: judge === undefined ? null : { source: judge, sha256: hashes.slice(files.model.length) },
    data: { sha256: state.input!.sha256 },
    ...figures,
    rows,
  };
}

/** Figures to be read, rows one per line; whole or not at all. */
async function writeResult(output: string, { rows, ...figures }: EvalResult): Promise<void> {
  const head = JSON.stringify(figures, null, 2).slice(0, -2);
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const temporary = `${output}.${process.pid}.part`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(`${head},\n  "rows": [\n${lines}\n  ]\n}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, output);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new JobError(
      'ERR_JOB_OUTPUT',
      `${output} can't be written: ${(cause as Error).message}. Mend that. ${goOn}`,
      output,
      {
        cause,
      },
    );
  }
}
