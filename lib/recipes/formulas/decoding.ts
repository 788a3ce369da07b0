// What changes a step's distribution: Director and factual nucleus sampling.

/**
 * Director's next-token log-probabilities (arXiv 2206.07694, section 3): log_softmax(language model) + γ · log_sigmoid
 * (classifier), renormalised. Both [vocabulary], logits. −Infinity in either bans a token; throws where all are banned.
 * `gamma`: 0 = the language model alone, 1 as published for inference.
 */
export function directorLogprobs(languageModel: readonly number[], classifier: readonly number[], gamma = 1): number[] {
  const wanted = logSoftmax(languageModel);
  return logSoftmax(wanted.map((logprob, token) => logprob + weighted(gamma, logSigmoid(classifier[token]))));
}

const weighted = (gamma: number, logprob: number) => (gamma === 0 ? 0 : gamma * logprob); // 0 · −Infinity is no number.

/** log(1 / (1 + e^−x)), exact for large |x|. */
function logSigmoid(x: number): number {
  return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
}

function logSoftmax(logits: readonly number[]): number[] {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  if (largest === -Infinity) throw new RangeError('Every token is banned: there is no distribution left.');
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return logits.map((logit) => logit - largest - Math.log(total));
}

export interface FactualNucleus {
  /** Top-p at a sentence's beginning, above 0 to 1. @default 0.9, as published */
  topP?: number;
  /** What it shrinks by with each token of a sentence, 0 to 1; 1 = plain top-p. @default 0.9, as published */
  decay?: number;
  /** It shrinks no further than this, 0 to 1. @default 0.3, as published */
  floor?: number;
}

/**
 * Top-p of factual nucleus sampling (Lee et al., arXiv 2206.04624, section 4): max(ω, p · λ^max(0, t − 1)), t = tokens since
 * the sentence began, from 1 at its first.
 */
export function factualNucleusTopP(sinceSentenceBegan: number, options: FactualNucleus = {}): number {
  const { topP = 0.9, decay = 0.9, floor = 0.3 } = options;
  return Math.max(floor, topP * decay ** Math.max(0, sinceSentenceBegan - 1));
}
