import type { PlattCalibration, TemperatureCalibration } from './calibration.js';
import { logOdds } from './calibration.js';

// Maximum likelihood on labelled examples.

/** An answer's logits, and which of them should have been the largest. */
export interface Example {
  logits: readonly number[];
  label: number;
}

const leastLogit = -1000; // An impossible label's −∞ would outweigh every other example.
const bounded = (logits: readonly number[]) => logits.map((logit) => Math.max(logit, leastLogit));

const coldest = 0.01;
const hottest = 100;

/**
 * The temperature that minimises the log loss, 0.01 … 100: the loss is convex in 1 ÷ temperature, and its derivative
 * Σ (mean logit under the softmax − logit of the true label) is bisected. A bound comes back where the examples would
 * have it colder (all are right) or hotter (worse than chance) still.
 */
export function fitTemperature(examples: readonly Example[]): TemperatureCalibration {
  const prepared = examples.map(({ logits, label }) => ({ logits: bounded(logits), label }));
  const slopeAt = (scale: number) => prepared.reduce((sum, example) => sum + lossSlope(example, scale), 0);
  let [low, high] = [1 / hottest, 1 / coldest];
  for (let i = 0; i < 100; i++) {
    const middle = Math.sqrt(low * high);
    if (slopeAt(middle) > 0) high = middle;
    else low = middle;
  }
  return { method: 'temperature', temperature: 1 / Math.sqrt(low * high) };
}

function lossSlope({ logits, label }: Example, scale: number): number {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(scale * (logit - largest)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = logits.reduce((sum, logit, index) => sum + logit * weights[index], 0) / total;
  return mean - logits[label];
}

interface Line {
  slope: number;
  intercept: number;
}

/**
 * Platt's method with his smoothed targets, by Newton's method with backtracking (Lin, Lin, Weng: "A note on Platt's
 * probabilistic outputs for support vector machines", Machine Learning 68, 2007, appendix). Label 0 is the event.
 */
export function fitPlatt(examples: readonly Example[]): PlattCalibration {
  const points = toPoints(examples);
  let line: Line = { slope: 0, intercept: priorLogOdds(points) };
  for (let i = 0; i < 100; i++) {
    const step = newtonStep(points, line);
    if (Math.abs(step.slope) + Math.abs(step.intercept) < 1e-12) break;
    const better = backtrack(points, line, step);
    if (!better) break;
    line = better;
  }
  return { method: 'platt', ...line };
}

/** x: log-odds of the event; target: how probable it should be, never quite 0 or 1. */
interface Point {
  x: number;
  target: number;
}

function toPoints(examples: readonly Example[]): Point[] {
  const positives = examples.filter(({ label }) => label === 0).length;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (examples.length - positives + 2);
  return examples.map(({ logits, label }) => {
    const [first, second] = bounded(logits);
    return { x: logOdds(first, second), target: label === 0 ? high : low };
  });
}

function priorLogOdds(points: readonly Point[]): number {
  const mean = points.reduce((sum, { target }) => sum + target, 0) / points.length;
  return Math.log(mean / (1 - mean));
}

function logLossOf(points: readonly Point[], { slope, intercept }: Line): number {
  return points.reduce((sum, { x, target }) => {
    const z = slope * x + intercept;
    return sum + Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target * z;
  }, 0);
}

// Gradient and Hessian of the log loss; the small addition keeps the matrix invertible where all x are equal.
function newtonStep(points: readonly Point[], { slope, intercept }: Line): Line {
  let [g0, g1, h00, h01, h11] = [0, 0, 1e-12, 0, 1e-12];
  for (const { x, target } of points) {
    const p = 1 / (1 + Math.exp(-(slope * x + intercept)));
    const weight = p * (1 - p);
    g0 += (p - target) * x;
    g1 += p - target;
    h00 += weight * x * x;
    h01 += weight * x;
    h11 += weight;
  }
  const determinant = h00 * h11 - h01 * h01;
  return { slope: -(h11 * g0 - h01 * g1) / determinant, intercept: -(h00 * g1 - h01 * g0) / determinant };
}

function backtrack(points: readonly Point[], line: Line, step: Line): Line | undefined {
  const loss = logLossOf(points, line);
  for (let size = 1; size > 1e-10; size /= 2) {
    const next = { slope: line.slope + size * step.slope, intercept: line.intercept + size * step.intercept };
    if (logLossOf(points, next) < loss) return next;
  }
  return undefined;
}
