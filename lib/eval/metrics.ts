// Figures of all rows of an evaluation, each with its confidence interval.
import type { Interval } from './intervals.js';
import { bootstrapInterval, exactInterval } from './intervals.js';

/** One figure. */
export interface Metric {
  /** null = no row has it. */
  value: number | null;
  /** 95 % confidence; null = too few rows. */
  low: number | null;
  high: number | null;
  /** Rows that it is of. */
  count: number;
  /** 'exact': Clopper and Pearson, of a proportion. 'bootstrap': percentiles of 1,000 resamples of the rows. */
  interval: 'exact' | 'bootstrap';
}

/** Makes a figure of rows; `seed` is that of the bootstrap. */
export type MetricOf<Row> = (rows: readonly Row[], seed: number) => Metric;

/** The share of rows for which it holds; undefined or null = the row is not counted. */
export function proportion<Row>(holds: (row: Row) => boolean | undefined | null): MetricOf<Row> {
  return (rows) => {
    const verdicts = rows.map(holds).filter((verdict) => verdict !== undefined && verdict !== null);
    const hits = verdicts.filter(Boolean).length;
    const count = verdicts.length;
    const interval = count === 0 ? null : exactInterval(hits, count);
    return metric('exact', count === 0 ? NaN : hits / count, interval, count);
  };
}

/** The mean of a number; undefined = the row is not counted. */
export function mean<Row>(valueOf: (row: Row) => number | undefined): MetricOf<Row> {
  const average: MetricOf<number> = statistic((values) => sum(values) / values.length);
  return (rows, seed) =>
    average(
      rows.map(valueOf).filter((value) => value !== undefined),
      seed,
    );
}

/** Any figure of the rows; NaN = it has no value. */
export function statistic<Row>(of: (rows: readonly Row[]) => number): MetricOf<Row> {
  return (rows, seed) =>
    metric('bootstrap', rows.length === 0 ? NaN : of(rows), bootstrapInterval(rows, of, seed), rows.length);
}

function metric(interval: Metric['interval'], value: number, bounds: Interval | null, count: number): Metric {
  const isThere = Number.isFinite(value);
  return {
    value: isThere ? value : null,
    low: isThere && bounds ? bounds.low : null,
    high: isThere && bounds ? bounds.high : null,
    count,
    interval,
  };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
