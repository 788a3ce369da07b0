import type { Answer, Question } from './question.js';

/** `logprobs`: of the labels in their order, natural logs over the whole vocabulary. */
export function readAnswer(question: Question, logprobs: readonly number[]): Answer {
  const probabilities = softmax(logprobs);
  const base = { outside: massOutside(logprobs), confidence: confidenceOf(probabilities) };
  if (question.type === 'boolean') {
    const [yes, no] = logprobs as [number, number];
    return { type: 'boolean', probability: probabilities[0], logprobs: { yes, no }, ...base };
  }
  if (question.type === 'score')
    return { type: 'score', score: mean(probabilities), probabilities, logprobs: [...logprobs], ...base };
  const keys = Object.keys(question.type === 'choice' ? question.choices : question.labels);
  const best = keys[probabilities.indexOf(Math.max(...probabilities))];
  const byKey = { probabilities: keyed(keys, probabilities), logprobs: keyed(keys, logprobs), ...base };
  return question.type === 'choice'
    ? { type: 'choice', choice: best, ...byKey }
    : { type: 'labels', label: best, ...byKey };
}

/** Renormalised over the labels. Equal where the model gives every label zero. */
export function softmax(logprobs: readonly number[]): number[] {
  const largest = Math.max(...logprobs);
  if (largest === -Infinity) return logprobs.map(() => 1 / logprobs.length);
  const weights = logprobs.map((logprob) => Math.exp(logprob - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function massOutside(logprobs: readonly number[]): number {
  return Math.max(0, 1 - logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0));
}

function confidenceOf(probabilities: readonly number[]): number {
  if (probabilities.length === 1) return 1;
  const entropy = probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  return Math.min(1, Math.max(0, 1 - entropy / Math.log(probabilities.length)));
}

/** Expected index. */
function mean(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, probability, level) => sum + probability * level, 0);
}

function keyed(keys: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(keys.map((key, index) => [key, values[index]]));
}
