// winnow-llm/eval: evaluations that reproduce.
export { evaluate, evalRequests } from './evaluate.js';
export type { EvalItem, EvaluateOptions } from './evaluate.js';
export { evaluateFile } from './evaluate-file.js';
export type { EvalModel, EvalResult } from './evaluate-file.js';
export { EvalError } from './errors.js';
export type { Classifier } from './classifier.js';
export type { Metric } from './metrics.js';
export type { EvalRow, Evaluation, Metrics } from './result.js';
export type { LikelihoodRequest } from './task.js';
export type { EvalDrawing, EvalFileOptions, EvalTaskName } from '../options.js';
