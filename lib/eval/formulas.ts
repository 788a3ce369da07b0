// What evaluations compute from log-likelihoods and probabilities.

/** Index of the largest value; the first of equals. */
export function argmax(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best] ? index : best), 0);
}

/** Of Unicode code points, as Python counts: what length-normalised accuracy divides by. */
export const characters = (text: string): number => [...text].length;

/** TruthfulQA MC1: the true choice is likelier than every false one; a tie is none. */
export function isFirst(trueLogprob: number, falseLogprobs: readonly number[]): boolean {
  return falseLogprobs.every((logprob) => trueLogprob > logprob);
}

/** TruthfulQA MC2: Σ P(true) ÷ Σ P over all choices, where P = exp(log-likelihood) (arXiv 2109.07958, section 3.2). */
export function trueMass(trueLogprobs: readonly number[], falseLogprobs: readonly number[]): number {
  const largest = Math.max(...trueLogprobs, ...falseLogprobs);
  const mass = (logprobs: readonly number[]) => logprobs.reduce((sum, logprob) => sum + Math.exp(logprob - largest), 0);
  return mass(trueLogprobs) / (mass(trueLogprobs) + mass(falseLogprobs));
}

/** P(first of two), of their log-likelihoods. */
export const share = (first: number, second: number): number => 1 / (1 + Math.exp(second - first));

export interface TextLikelihood {
  /** Natural log: Σ over all tokens. */
  logprob: number;
  words: number;
  bytes: number;
}

export const wordPerplexity = ({ logprob, words }: TextLikelihood): number => Math.exp(-logprob / words);
export const bytePerplexity = ({ logprob, bytes }: TextLikelihood): number => Math.exp(-logprob / bytes);
export const bitsPerByte = ({ logprob, bytes }: TextLikelihood): number => -logprob / bytes / Math.LN2;

/** What white space separates, as lm-evaluation-harness counts it: its `re.split(r"\s+", text)`, empty ends included. */
export const countWords = (text: string): number => text.split(/\s+/).length;

/** The most frequent answer, of equals the one that came first; null where nobody has one. */
export function majority(answers: readonly (string | null)[]): string | null {
  const votes = new Map<string, number>();
  for (const answer of answers) if (answer !== null) votes.set(answer, (votes.get(answer) ?? 0) + 1);
  return [...votes].reduce<[string | null, number]>((best, vote) => (vote[1] > best[1] ? vote : best), [null, 0])[0];
}
