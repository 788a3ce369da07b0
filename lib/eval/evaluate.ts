import type { InputRow } from '../batch/read.js';
import { OptionError } from '../errors.js';
import type { Model } from '../index.js';
import type { EvalDrawing, EvalTaskName } from '../options.js';
import { checkRowId, resolveEvalDrawing, resolveEvalTask, resolveSignal } from '../options.js';
import { checkFunction } from '../options/checks.js';
import type { Classifier } from './classifier.js';
import type { EvalRow, Evaluation } from './result.js';
import { summarise } from './result.js';
import { runItems } from './run-items.js';
import type { LikelihoodRequest } from './task.js';
import { taskNamed } from './tasks/index.js';

/** An item of a task's data. What is wrong with it is the error of its row. */
export type EvalItem = Readonly<Record<string, unknown>>;

export interface EvaluateOptions extends EvalDrawing {
  task: EvalTaskName;
  /** A model that judges. @default the model itself */
  judge?: Model;
  /** Grades generated texts, for `toxigen-generate` and `bold`. @default the judge */
  classifier?: Classifier;
  /** Rejects with its reason. */
  signal?: AbortSignal;
}

/**
 * Runs an evaluation on items of a program. Throws OptionError, what the source throws, and the signal's reason.
 *
 * @example
 * const items = [{ context: 'The capital of France is', choices: ['Paris', 'Rome'], answer: 0 }];
 * const { metrics } = await evaluate(model, items, { task: 'multiple-choice' });
 * console.log(metrics.accuracy.value);
 */
export async function evaluate(
  model: Model,
  items: Iterable<EvalItem> | AsyncIterable<EvalItem>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const drawing = resolveEvalDrawing(options, ['task', 'judge', 'classifier', 'signal']);
  const name = resolveEvalTask(options.task);
  const { judge = model, classifier } = options;
  if (classifier !== undefined) checkFunction('classifier', classifier);
  const context = { model, judge, classifier, options: drawing };
  const rows: [line: number, row: EvalRow][] = [];
  for await (const { input, fields } of runItems(
    taskNamed(name),
    context,
    inputRows(items),
    resolveSignal(options.signal),
  ))
    rows.push([input.line, { ...identityOf(input), ...fields }]);
  rows.sort(([a], [b]) => a - b);
  return summarise(
    name,
    drawing,
    rows.map(([, row]) => row),
  );
}

/**
 * What a task asks of a model about an item, where that is nothing but log-likelihoods: for other programs to ask the
 * same. Throws OptionError for a task that generates or converses, and for what is no item of it.
 */
export function evalRequests(task: EvalTaskName, item: EvalItem): LikelihoodRequest[] {
  const found = taskNamed(resolveEvalTask(task));
  if (found.requests) return found.requests(found.read(item));
  throw new OptionError('ERR_OPTION_VALUE', `${task} asks for more than log-likelihoods`, 'task', task);
}

async function* inputRows(items: Iterable<EvalItem> | AsyncIterable<EvalItem>): AsyncGenerator<InputRow, void> {
  let line = 0;
  for await (const item of items) yield { line: ++line, fields: item };
}

function identityOf({ fields, line }: InputRow): Pick<EvalRow, 'id' | 'line'> {
  const id = checkRowId(fields?.['id']);
  return id === undefined ? { id: null, line } : { id };
}
