import type { Questions } from '../questions/question.js';
import { OptionError } from '../errors.js';
import {
  checkArray,
  checkBoolean,
  checkFields,
  checkFilledText,
  checkFunction,
  checkInteger,
  checkNames,
  checkOneOf,
  invalid,
  withDefault,
} from './checks.js';
import { resolveSignal } from './input.js';
import type { LoadOptions } from './load.js';

/** How far a run over files has come. Rows are those of its shard and limit. */
export interface BatchProgress {
  /** That were finished before this run began. */
  skipped: number;
  /** That have ended in this run, errors included. */
  rows: number;
  /** Rows with an error, of all runs. */
  errors: number;
  /** Of the input that has been read, 0 … 1; undefined where that is not known. */
  share?: number;
  /** Tokens that this run has evaluated and generated. */
  tokens: number;
  /** Prompt tokens of this run that were in the cache, 0 … 1. */
  cacheHits: number;
}

/** What every job over files is told. */
export interface JobFileOptions {
  /** As for `loadModel()`. It is loaded when there is something to do. */
  model: string;
  load?: LoadOptions;
  /** File of rows: JSON lines, `.csv` or `.parquet`, the first two perhaps with `.gz` or `.zst` behind; '-' = standard input. */
  input: string;
  /** File of results, named likewise; '-' = standard output, which can't be resumed. */
  output: string;
  /** Input that has no fitting name, and output, is CSV. @default false */
  csv?: boolean;
  /** Fields of the rows that their results repeat. @default none */
  keep?: readonly string[];
  /** Rows of the input to read. @default all */
  limit?: number;
  /** Of every `count` rows only the `index`-th, from 1. @default { index: 1, count: 1 }: all */
  shard?: { index: number; count: number };
  /** An id that was there before makes its row an error ('error'), or all rows are known by their line ('index'). @default 'error' */
  duplicates?: 'error' | 'index';
  /** Ends the run where more rows have failed. @default Infinity */
  maxErrors?: number;
  /** Results in the order of the rows; the output is made at the end. @default false: as they come */
  ordered?: boolean;
  /** Goes on with an output of other input, model or options. @default false */
  force?: boolean;
  /** Stops the run; what has been written stays. */
  signal?: AbortSignal;
  /** Called at most ten times a second, and at the end. */
  onProgress?: (progress: BatchProgress) => void;
}

export interface ScoreFileOptions extends JobFileOptions {
  /** Asked of every row that has none of its own. */
  questions?: Questions;
}

type Optional = 'signal' | 'onProgress';
export type ResolvedJobFileOptions = Required<Omit<JobFileOptions, Optional>> & Pick<JobFileOptions, Optional>;
export type ResolvedScoreFileOptions = ResolvedJobFileOptions & Pick<ScoreFileOptions, 'questions'>;

const jobNames = [
  ...['model', 'load', 'input', 'output', 'csv', 'keep', 'limit', 'shard', 'duplicates', 'maxErrors'],
  ...['ordered', 'force', 'signal', 'onProgress'],
];

export function resolveScoreFileOptions(options: ScoreFileOptions): ResolvedScoreFileOptions {
  const { questions } = options;
  return {
    ...resolveJobFileOptions(options, ['questions'], ['scores', 'answers']),
    questions: questions && (checkFields('questions', questions) as unknown as Questions),
  };
}

/** `moreNames`: options of the caller's own. `resultNames`: fields that its results have. */
export function resolveJobFileOptions(
  options: JobFileOptions,
  moreNames: readonly string[],
  resultNames: readonly string[],
): ResolvedJobFileOptions {
  checkNames('options', checkFields('options', options), [...jobNames, ...moreNames]);
  const { onProgress } = options;
  return {
    model: checkFilledText('model', options.model),
    load: withDefault(options.load, {}),
    input: checkFilledText('input', options.input),
    output: checkOutput(options.output, options.input),
    csv: checkBoolean('csv', withDefault(options.csv, false)),
    keep: resolveKeep(withDefault(options.keep, []), ['id', 'line', 'error', ...resultNames]),
    limit: checkCount('limit', withDefault(options.limit, Infinity)),
    shard: resolveShard(withDefault(options.shard, { index: 1, count: 1 })),
    duplicates: checkOneOf('duplicates', withDefault(options.duplicates, 'error'), ['error', 'index']),
    maxErrors: checkCount('maxErrors', withDefault(options.maxErrors, Infinity)),
    ordered: checkBoolean('ordered', withDefault(options.ordered, false)),
    force: checkBoolean('force', withDefault(options.force, false)),
    signal: resolveSignal(options.signal),
    onProgress: onProgress && checkFunction<NonNullable<JobFileOptions['onProgress']>>('onProgress', onProgress),
  };
}

export function checkOutput(output: unknown, input: string): string {
  const file = checkFilledText('output', output);
  if (file === input && file !== '-') throw invalid('output', file, 'another file than input');
  return file;
}

export const checkCount = (name: string, value: unknown) =>
  value === Infinity ? Infinity : checkInteger(name, value, 0);

function resolveKeep(keep: unknown, ours: readonly string[]): string[] {
  return checkArray('keep', keep, 0, 1000, 'names of fields').map((name, index) => {
    const field = checkFilledText(`keep[${index}]`, name);
    if (!ours.includes(field)) return field;
    throw new OptionError(
      'ERR_OPTION_VALUE',
      `keep can't name ${field}: results have a field of that name`,
      'keep',
      keep,
    );
  });
}

function resolveShard(shard: unknown): { index: number; count: number } {
  const fields = checkFields('shard', shard);
  checkNames('shard', fields, ['index', 'count']);
  const count = checkInteger('shard.count', fields['count'], 1);
  return { index: checkInteger('shard.index', fields['index'], 1, count), count };
}
