// What two or more labels' log-probabilities say about a preference.
import { softmax } from '../../questions/answer.js';

/** Log-probabilities of the two labels of a comparison. */
export interface PairLogprobs {
  a: number;
  b: number;
}

/** P(A) ÷ (P(A) + P(B)); 0.5 where both are impossible. */
export function preferenceOf({ a, b }: PairLogprobs): number {
  return softmax([a, b])[0];
}

/**
 * P(the first answer is better), from both orders: the log-probabilities of the label that stands for an answer are
 * summed over the swap (Dromedary, arXiv 2305.03047, section 4.1), so that a leaning to one label cancels out.
 * `asGiven`: the first answer is A. `swapped`: the first answer is B.
 */
export function swappedPreference(asGiven: PairLogprobs, swapped: PairLogprobs): number {
  return preferenceOf({ a: asGiven.a + swapped.b, b: asGiven.b + swapped.a });
}

/**
 * Constitutional AI's target for a preference that was worked out by chain of thought: clamped, since the reasoning makes
 * the labels too sure (arXiv 2212.08073, section 4.1). Defaults: 0.4 to 0.6, as published.
 */
export function clampPreference(probability: number, low = 0.4, high = 0.6): number {
  return Math.min(high, Math.max(low, probability));
}

/** Wins, ties and losses of the first side; a tie counts half in the rate. */
export interface WinRate {
  wins: number;
  ties: number;
  losses: number;
  /** (wins + ties ÷ 2) ÷ all; null of no comparison. */
  rate: number | null;
}

/** `margin`: probabilities within it of 0.5 are ties, 0 to 0.5. */
export function winRate(preferences: readonly number[], margin = 0): WinRate {
  const wins = preferences.filter((p) => p - 0.5 > margin).length;
  const losses = preferences.filter((p) => 0.5 - p > margin).length;
  const ties = preferences.length - wins - losses;
  return { wins, ties, losses, rate: preferences.length === 0 ? null : (wins + ties / 2) / preferences.length };
}

// What a label that can't follow the content-free text counts as; keeps a difference of two such labels a number.
const leastLogprob = -1e6;

/**
 * Contextual calibration (Zhao et al., arXiv 2102.09690, section 4.2): label probabilities behind the input, divided by those
 * behind inputs without content, the mean over these, and renormalised. [labels], [content-free inputs][labels]; natural logs.
 */
export function calibrateLabels(logprobs: readonly number[], contentFree: readonly (readonly number[])[]): number[] {
  if (contentFree.length === 0) return softmax(logprobs);
  const priors = contentFree.map((prior) => softmax(prior));
  const means = logprobs.map((_, label) => priors.reduce((total, prior) => total + prior[label], 0) / priors.length);
  return softmax(logprobs.map((logprob, label) => logprob - Math.max(Math.log(means[label]), leastLogprob)));
}
