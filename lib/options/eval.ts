import type { BatchProgress } from './batch.js';
import { checkCount, checkOutput } from './batch.js';
import {
  checkBoolean,
  checkFields,
  checkFilledText,
  checkFunction,
  checkInteger,
  checkNames,
  checkNumber,
  checkOneOf,
  withDefault,
} from './checks.js';
import { resolveSignal } from './input.js';
import type { LoadOptions } from './load.js';

export const evalTaskNames = [
  ...(['truthfulqa', 'hhh', 'multiple-choice', 'perplexity', 'gsm8k'] as const),
  ...(['toxigen', 'toxigen-generate', 'bold', 'lamda', 'pairwise'] as const),
];
/** What `evaluate()` and `winnow eval` can do; docs/evaluations.md says what each reads. */
export type EvalTaskName = (typeof evalTaskNames)[number];

/** What the result of an evaluation depends on, besides the model and the data. */
export interface EvalDrawing {
  /** Of what is drawn, each item with a seed of its own, and of the bootstrap. @default 0 */
  seed?: number;
  /** Chains of thought per question, for `gsm8k`, 1 to 1,024. @default 1 */
  samples?: number;
  /** Of what is generated; 0 = greedy. @default 0, and 0.7 for several samples */
  temperature?: number;
  /** Of what is generated: keep the likeliest tokens of this mass; 1 = off. @default 1 */
  topP?: number;
  /** Longest text to generate, in tokens. @default the task's */
  maxTokens?: number;
}

export interface EvalFileOptions extends EvalDrawing {
  task: EvalTaskName;
  /** As for `loadModel()`. It is loaded when there is something to do. */
  model: string;
  load?: LoadOptions;
  /** A model that judges. @default the model itself */
  judge?: string;
  /** Path of an ES module whose default export is a `Classifier`. @default the judge */
  classifier?: string;
  /** JSON lines, `.csv` or `.parquet`, the first two perhaps with `.gz` or `.zst` behind. */
  data: string;
  /** File of the result, JSON. Beside it, `<output>.rows.jsonl` holds what has been done so far. */
  output: string;
  /** Items to read. @default all */
  limit?: number;
  /** Goes on with an output of other data, model or options. @default false */
  force?: boolean;
  /** Stops the run; what has been done stays. */
  signal?: AbortSignal;
  /** Called at most ten times a second, and at the end; `share` is of the items that have ended. */
  onProgress?: (progress: BatchProgress) => void;
}

/** @internal */
export interface ResolvedEvaluateOptions extends EvalDrawing {
  seed: number;
  samples: number;
  topP: number;
}

export type ResolvedEvalFileOptions = ResolvedEvaluateOptions &
  Required<Pick<EvalFileOptions, 'task' | 'model' | 'load' | 'data' | 'output' | 'limit' | 'force'>> &
  Pick<EvalFileOptions, 'judge' | 'classifier' | 'signal' | 'onProgress'>;

const drawingNames = ['seed', 'samples', 'temperature', 'topP', 'maxTokens'];
const fileNames = [
  'task',
  'model',
  'load',
  'judge',
  'classifier',
  'data',
  'output',
  'limit',
  'force',
  'signal',
  'onProgress',
];
const maxSamples = 1024;

/** `moreNames`: options of the caller's own. */
export function resolveEvalDrawing(options: EvalDrawing, moreNames: readonly string[]): ResolvedEvaluateOptions {
  checkNames('options', checkFields('options', options), [...drawingNames, ...moreNames]);
  const { temperature, maxTokens } = options;
  return {
    seed: checkInteger('seed', withDefault(options.seed, 0), 0),
    samples: checkInteger('samples', withDefault(options.samples, 1), 1, maxSamples),
    topP: checkNumber('topP', withDefault(options.topP, 1), 'above 0 and at most 1', (p) => p > 0 && p <= 1),
    ...(temperature !== undefined && {
      temperature: checkNumber('temperature', temperature, 'a finite number of at least 0', (value) => value >= 0),
    }),
    ...(maxTokens !== undefined && { maxTokens: checkInteger('maxTokens', maxTokens, 1) }),
  };
}

export const resolveEvalTask = (task: unknown): EvalTaskName => checkOneOf('task', task, evalTaskNames);

export function resolveEvalFileOptions(options: EvalFileOptions): ResolvedEvalFileOptions {
  const drawing = resolveEvalDrawing(options, fileNames);
  const { judge, classifier, onProgress } = options;
  const data = checkFilledText('data', options.data);
  return {
    ...drawing,
    task: resolveEvalTask(options.task),
    model: checkFilledText('model', options.model),
    load: withDefault(options.load, {}),
    judge: judge === undefined ? undefined : checkFilledText('judge', judge),
    classifier: classifier === undefined ? undefined : checkFilledText('classifier', classifier),
    data,
    output: checkOutput(options.output, data),
    limit: checkCount('limit', withDefault(options.limit, Infinity)),
    force: checkBoolean('force', withDefault(options.force, false)),
    signal: resolveSignal(options.signal),
    onProgress: onProgress && checkFunction<NonNullable<EvalFileOptions['onProgress']>>('onProgress', onProgress),
  };
}
