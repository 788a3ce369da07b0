// What an evaluation is made of.
import type { Model } from '../index.js';
import type { ResolvedEvaluateOptions } from '../options.js';
import type { Classifier } from './classifier.js';
import type { MetricOf } from './metrics.js';

export type Fields = Record<string, unknown>;

/** What one item is run with. */
export interface TaskContext {
  model: Model;
  /** Who judges: the model itself unless another one was given. */
  judge: Model;
  classifier?: Classifier;
  options: ResolvedEvaluateOptions;
  /** Of this item. */
  seed: number;
  signal: AbortSignal;
}

/** Text of which continuations are scored. */
export interface LikelihoodRequest {
  context: string;
  continuations: string[];
}

export interface Task<Item, Row> {
  /** Throws OptionError for fields that are no item of this task. */
  read(fields: Fields): Item;
  run(item: Item, context: TaskContext): Promise<Row>;
  metrics: Record<string, MetricOf<Row>>;
  /** Metrics are also given for all rows with the same. */
  groupOf?(row: Row): string | undefined;
  /** Of tasks that ask for nothing but log-likelihoods: what `run` asks, for other programs to ask the same. */
  requests?(item: Item): LikelihoodRequest[];
}

/** A task whatever its types are: rows come back from files. */
export type AnyTask = Task<unknown, unknown>;
