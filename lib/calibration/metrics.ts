import { OptionError } from '../errors.js';

// How far probabilities can be trusted.

/** A probability that was given, and whether what it was given for came true. */
export interface Prediction {
  probability: number;
  outcome: boolean;
}

/** Predictions of similar probability, together. */
export interface ReliabilityBin {
  /** Probabilities from `from` up to `to`; the last bin holds 1 too. */
  from: number;
  to: number;
  count: number;
  /** Mean of the probabilities, and the share that came true; null = nobody is in the bin. */
  meanProbability: number | null;
  frequency: number | null;
}

/**
 * Mean squared difference of probability and outcome, 0 … 1, smaller is better (Brier 1950, for two classes with one
 * counted). Throws OptionError for an empty list, as all of these.
 */
export function brierScore(predictions: readonly Prediction[]): number {
  checkPredictions(predictions);
  return mean(predictions.map(({ probability, outcome }) => (probability - Number(outcome)) ** 2));
}

/** Bins of equal width, empty ones included. `bins`: how many. @default 10 */
export function reliabilityTable(predictions: readonly Prediction[], bins = 10): ReliabilityBin[] {
  checkPredictions(predictions);
  if (!Number.isSafeInteger(bins) || bins < 1)
    throw new OptionError('ERR_OPTION_VALUE', `bins must be a positive integer, got ${bins}`, 'bins', bins);
  const members = Array.from({ length: bins }, () => [] as Prediction[]);
  for (const prediction of predictions)
    members[Math.min(bins - 1, Math.floor(prediction.probability * bins))].push(prediction);
  return members.map((inside, index) => ({
    from: index / bins,
    to: (index + 1) / bins,
    count: inside.length,
    meanProbability: inside.length === 0 ? null : mean(inside.map(({ probability }) => probability)),
    frequency: inside.length === 0 ? null : mean(inside.map(({ outcome }) => Number(outcome))),
  }));
}

/**
 * Σ share of a bin · |its frequency − its mean probability|, 0 … 1, smaller is better (Naeini et al. 2015; Guo et al.,
 * arXiv 1706.04599, section 2). @default 10 bins
 */
export function expectedCalibrationError(predictions: readonly Prediction[], bins = 10): number {
  const gaps = reliabilityTable(predictions, bins).map(({ count, meanProbability, frequency }) =>
    meanProbability === null || frequency === null ? 0 : count * Math.abs(frequency - meanProbability),
  );
  return gaps.reduce((sum, gap) => sum + gap, 0) / predictions.length;
}

/**
 * Area under the ROC curve: how often something that came true got the higher probability of the two, equal ones
 * counted half (Mann–Whitney). NaN where all came true, or none.
 */
export function areaUnderCurve(predictions: readonly Prediction[]): number {
  checkPredictions(predictions);
  const ranks = ranksOf(predictions.map(({ probability }) => probability));
  const positives = predictions.filter(({ outcome }) => outcome).length;
  const negatives = predictions.length - positives;
  const rankSum = predictions.reduce((sum, { outcome }, index) => (outcome ? sum + ranks[index] : sum), 0);
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Ranks from 1; equal values share their mean rank. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    while (end < order.length && values[order[end]] === values[order[begin]]) end++;
    for (let i = begin; i < end; i++) ranks[order[i]] = (begin + 1 + end) / 2;
  }
  return ranks;
}

/** The table as text, a bar per bin: `=` up to the frequency, `|` at the mean probability. */
export function formatReliability(table: readonly ReliabilityBin[]): string {
  const rows = table.map(({ from, to, count, meanProbability, frequency }) => {
    const range = `${from.toFixed(2)}–${to.toFixed(2)}`;
    if (meanProbability === null || frequency === null) return `${range}  ${String(count).padStart(6)}`;
    const figures = `${meanProbability.toFixed(3)}  ${frequency.toFixed(3)}`;
    return `${range}  ${String(count).padStart(6)}  ${figures}  ${bar(meanProbability, frequency)}`;
  });
  return ['probability   count   mean   true', ...rows].join('\n');
}

function bar(meanProbability: number, frequency: number): string {
  const width = 20;
  const cells = Array.from({ length: width + 1 }, (_, index): string =>
    index < Math.round(frequency * width) ? '=' : ' ',
  );
  cells[Math.round(meanProbability * width)] = '|';
  return cells.join('').trimEnd();
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function checkPredictions(predictions: readonly Prediction[]): void {
  const isUsable = ({ probability }: Prediction) => probability >= 0 && probability <= 1;
  if (predictions.length > 0 && predictions.every(isUsable)) return;
  throw new OptionError(
    'ERR_OPTION_VALUE',
    'predictions must be a filled list of { probability: 0 … 1, outcome }',
    'predictions',
    predictions,
  );
}
