// How far a figure of n items may be from that of all there could be: 95 % confidence intervals.
import { mulberry32 } from './random.js';

const tail = 0.025; // On either side.
const resamples = 1000;

export interface Interval {
  low: number;
  high: number;
}

/**
 * Of a proportion: exact (Clopper and Pearson, Biometrika 26, 1934). The bounds are the p at which `hits` of `count` or
 * more, and or fewer, have a probability of 2.5 %.
 */
export function exactInterval(hits: number, count: number): Interval {
  const low = hits === 0 ? 0 : solve((p) => 1 - atMost(hits - 1, count, p));
  const high = hits === count ? 1 : solve((p) => -atMost(hits, count, p), -tail);
  return { low, high };
}

/** The p at which an increasing function of it is `wanted`. */
function solve(increasing: (p: number) => number, wanted = tail): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X ≤ hits) of a binomial distribution, 0 < p < 1. */
function atMost(hits: number, count: number, p: number): number {
  let logTerm = count * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= hits; k++) {
    logTerm += Math.log(((count - k + 1) / k) * (p / (1 - p)));
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/**
 * Of any statistic: bootstrap percentiles of 1,000 resamples (Efron and Tibshirani 1993, section 13.3). Resamples in which
 * the statistic has no value (NaN) are left out; null where all have none, and for fewer than two rows.
 */
export function bootstrapInterval<Row>(
  rows: readonly Row[],
  statistic: (rows: readonly Row[]) => number,
  seed: number,
): Interval | null {
  if (rows.length < 2) return null;
  const random = mulberry32(seed);
  const draw = () => rows.map(() => rows[Math.floor(random() * rows.length)]);
  const values = Array.from({ length: resamples }, () => statistic(draw())).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  const at = (quantile: number) => values[Math.min(values.length - 1, Math.floor(quantile * values.length))];
  return { low: at(tail), high: at(1 - tail) };
}
