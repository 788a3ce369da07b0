// How published systems choose among candidates, as arithmetic alone.

/** 1 / (1 + e^−x), exact for large |x|. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export interface SparrowCandidate {
  /** Of the preference reward model, any real number. */
  reward: number;
  /** P(rule i is violated), 0 to 1, one per rule; may be empty: then the reward alone decides. */
  violations: readonly number[];
}

/**
 * Sparrow's reranking score of each candidate, 0 to 1 (arXiv 2209.14375, section 2.6 and appendix D):
 * e^r ÷ (e^r + e^mean(r)) · (Π over the n rules of P(not violated))^(1/n). A rule that is violated for certain gives 0.
 */
export function sparrowScores(candidates: readonly SparrowCandidate[]): number[] {
  const average = mean(candidates.map(({ reward }) => reward));
  return candidates.map(({ reward, violations }) => sigmoid(reward - average) * geometricMean(violations.map(not)));
}

const not = (probability: number) => 1 - probability;

/** 1 of no values; 0 as soon as one is. */
function geometricMean(values: readonly number[]): number {
  return values.length === 0 ? 1 : Math.exp(mean(values.map(Math.log)));
}

/**
 * KL(best of n ‖ the distribution that the n are drawn from), in nats: log n − (n − 1) ÷ n, for continuous rewards
 * (Stiennon et al., arXiv 2009.01325, appendix G.3; Nakano et al., arXiv 2112.09332, section 3.2). n: at least 1.
 */
export function bestOfNDivergence(n: number): number {
  return Math.log(n) - (n - 1) / n;
}

/**
 * Monte-Carlo estimate of KL(policy ‖ reference), in nats: the mean of log P(text) under the policy less that under the
 * reference, over texts drawn from the policy. Infinity where the reference can't say one of them.
 */
export function measuredDivergence(policyLogprobs: readonly number[], referenceLogprobs: readonly number[]): number {
  return mean(policyLogprobs.map((logprob, index) => logprob - referenceLogprobs[index]));
}

export interface Llama2Rewards {
  /** 0 to 1, each. */
  helpfulness: number;
  safety: number;
  /** Whether the prompt is one of those that were written to elicit unsafe answers. */
  isSafetyPrompt: boolean;
}

/** Below it the safety reward decides (arXiv 2307.09288, section 3.2.3). */
export const llama2SafetyThreshold = 0.15;

/** Llama 2's choice of reward: safety where the prompt is tagged so or its score is below the threshold, else helpfulness. */
export function llama2Reward(
  { helpfulness, safety, isSafetyPrompt }: Llama2Rewards,
  threshold = llama2SafetyThreshold,
) {
  const source = isSafetyPrompt || safety < threshold ? ('safety' as const) : ('helpfulness' as const);
  return { source, reward: source === 'safety' ? safety : helpfulness };
}

/** Index of the first of the highest values, which is never NaN; −1 of none. */
export function indexOfHighest(values: readonly number[]): number {
  let best = -1;
  values.forEach((value, index) => {
    if (!Number.isNaN(value) && (best < 0 || value > values[best])) best = index;
  });
  return best;
}
