import type { RowError } from '../batch/row-error.js';
import { rowSeed } from '../row-seed.js';
import type { EvalTaskName, ResolvedEvaluateOptions } from '../options.js';
import type { Metric } from './metrics.js';
import type { AnyTask } from './task.js';
import { taskNamed } from './tasks/index.js';

/** What became of one item: the fields that docs/evaluations.md names for its task, or its error. */
export interface EvalRow {
  /** The item's own; null = it is known by its line. */
  id: string | number | null;
  /** Of the data, from 1; only where it has no id. */
  line?: number;
  error?: RowError;
  [field: string]: unknown;
}

export type Metrics = Record<string, Metric>;

/** Everything is the same in every run on the same model, data and options. */
export interface Evaluation {
  task: EvalTaskName;
  /** null = the task's own. */
  options: Record<string, number | string | null>;
  /** How many there were, those with an error included. */
  items: number;
  errors: number;
  /** Of all items without an error. */
  metrics: Metrics;
  /** Of those of each group, where the data has groups. */
  groups?: Record<string, Metrics>;
  /** In the order of the data. */
  rows: EvalRow[];
}

/** @internal */
export function summarise(
  name: EvalTaskName,
  { seed, samples, temperature, topP, maxTokens }: ResolvedEvaluateOptions,
  rows: EvalRow[],
): Evaluation {
  const task = taskNamed(name);
  const whole = rows.filter(({ error }) => !error);
  const groups = groupRows(task, whole);
  const named = [...groups].map(([group, members]) => [group, metricsOf(task, members, seed)] as const);
  return {
    task: name,
    options: { seed, samples, temperature: temperature ?? null, topP, maxTokens: maxTokens ?? null },
    items: rows.length,
    errors: rows.length - whole.length,
    metrics: metricsOf(task, whole, seed),
    ...(groups.size > 0 && { groups: Object.fromEntries(named) }),
    rows,
  };
}

function groupRows(task: AnyTask, rows: EvalRow[]): Map<string, EvalRow[]> {
  const groups = new Map<string, EvalRow[]>();
  for (const row of rows) {
    const group = task.groupOf?.(row);
    if (group === undefined) continue;
    const members = groups.get(group);
    if (members) members.push(row);
    else groups.set(group, [row]);
  }
  return groups;
}

function metricsOf(task: AnyTask, rows: EvalRow[], seed: number): Metrics {
  const metrics = Object.entries(task.metrics);
  return Object.fromEntries(metrics.map(([name, metricOf]) => [name, metricOf(rows, rowSeed(seed, name))]));
}
