import { applyCalibration } from '../calibration/calibration.js';
import type { Answer, Question } from './question.js';

/** What is known of one label. */
export interface LabelReading {
  /** Natural log over the whole vocabulary: Σ over its tokens. */
  logprob: number;
  tokens: number;
}

/** `prior`: log P of the labels behind a text without content; with `normalization: 'prior'`. */
export function readLabels(question: Question, labels: readonly LabelReading[], prior?: readonly number[]): Answer {
  return readAnswer(
    question,
    labels.map(({ logprob }) => logprob),
    labels.map((label, index) => normalize(question, label, prior?.[index])),
  );
}

// No model gives a label less than this; it keeps a difference of two impossible labels a number.
const leastLogprob = -1e6;

/** What is taken off a label's log-probability. */
export function priorShift(prior: number): number {
  return Math.max(prior, leastLogprob);
}

function normalize({ normalization }: Question, { logprob, tokens }: LabelReading, prior: number | undefined): number {
  if (normalization === 'mean') return logprob / tokens;
  if (normalization === 'prior') return logprob - priorShift(prior!);
  return logprob;
}

/** `logprobs`: of the labels in their order, natural logs over the whole vocabulary. `logits`: the same, normalised. */
export function readAnswer(
  question: Question,
  logprobs: readonly number[],
  logits: readonly number[] = logprobs,
): Answer {
  const probabilities = softmax(applyCalibration(question.calibration, logits));
  const entropy = entropyOf(probabilities);
  const base = { outside: massOutside(logprobs), confidence: confidenceOf(entropy, probabilities.length), entropy };
  if (question.type === 'boolean')
    return {
      type: 'boolean',
      probability: probabilities[0],
      logprobs: yesAndNo(logprobs),
      logits: yesAndNo(logits),
      ...base,
    };
  if (question.type === 'score')
    return {
      type: 'score',
      score: mean(probabilities),
      probabilities,
      logprobs: [...logprobs],
      logits: [...logits],
      ...base,
    };
  const keys = Object.keys(question.type === 'choice' ? question.choices : question.labels);
  const best = keys[probabilities.indexOf(Math.max(...probabilities))];
  const byKey = {
    probabilities: keyed(keys, probabilities),
    logprobs: keyed(keys, logprobs),
    logits: keyed(keys, logits),
    ...base,
  };
  return question.type === 'choice'
    ? { type: 'choice', choice: best, ...byKey }
    : { type: 'labels', label: best, ...byKey };
}

function yesAndNo([yes, no]: readonly number[]): { yes: number; no: number } {
  return { yes, no };
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

function entropyOf(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

function confidenceOf(entropy: number, count: number): number {
  return count === 1 ? 1 : Math.min(1, Math.max(0, 1 - entropy / Math.log(count)));
}

/** Expected index. */
function mean(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, probability, level) => sum + probability * level, 0);
}

function keyed(keys: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(keys.map((key, index) => [key, values[index]]));
}
