import type { ExecutionContext } from 'ava';
import { loadModel } from '../../../lib/index.js';
import type { Likelihood, LoadOptions, Model } from '../../../lib/index.js';

/** What PyTorch computed in float32, from make_loglikelihood.py. */
export interface Reference {
  modelSha256: string;
  items: ReferenceItem[];
}

/** A continuation of the context is the opening with one of the endings. */
export interface ReferenceItem {
  context: string;
  contextTokens: number[];
  opening: ReferenceText;
  endings: ReferenceText[];
  /** What PyTorch itself writes behind the opening while the best token leads by half a logit; may be empty. */
  greedy: string;
}

export interface ReferenceText {
  text: string;
  tokens: number[];
  tokenLogprobs: number[];
  /** Smallest lead of its tokens over the best other token, in logits. */
  margin: number;
}

type Scored = Pick<Likelihood, 'tokenLogprobs'>;

/** Nats per token: llama.cpp alone is 0.0109 and 0.00026 from PyTorch on these texts. */
export const accuracyBounds = { q4_1: 0.015, f16: 0.001 };

/** Logits. Where PyTorch's best token leads by less, rounding decides. */
const closeMargin = 0.5;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Mean over the continuations of |difference of log P(continuation)| ÷ its tokens, in nats. */
export function meanDifference(some: readonly Scored[], others: readonly Scored[]): number {
  const differences = some.map(({ tokenLogprobs }, index) => {
    return Math.abs(sum(tokenLogprobs) - sum(others[index].tokenLogprobs)) / tokenLogprobs.length;
  });
  return sum(differences) / differences.length;
}

const join = (opening: ReferenceText, ending: ReferenceText): ReferenceText => ({
  text: opening.text + ending.text,
  tokens: [...opening.tokens, ...ending.tokens],
  tokenLogprobs: [...opening.tokenLogprobs, ...ending.tokenLogprobs],
  margin: Math.min(opening.margin, ending.margin),
});

export const continuationsOf = ({ opening, endings }: ReferenceItem): ReferenceText[] =>
  endings.map((ending) => join(opening, ending));

export const textsOf = (item: ReferenceItem): string[] => continuationsOf(item).map(({ text }) => text);

export const loadForAccuracy = (source: string, kernels?: LoadOptions['kernels']): Promise<Model> =>
  loadModel(source, { contextSize: 2048, gpuLayers: 0, kernels });

/** The continuations of each item, one item after the other. */
export async function scoreAlone(model: Model, items: readonly ReferenceItem[]): Promise<Likelihood[][]> {
  const scored: Likelihood[][] = [];
  for (const item of items) scored.push(await model.logLikelihood({ prompt: item.context }, textsOf(item)));
  return scored;
}

/** `scoreAlone` on a model of its own, whose cache is empty. */
export async function scoreFresh(
  source: string,
  { items }: Reference,
  kernels?: LoadOptions['kernels'],
): Promise<Likelihood[][]> {
  const model = await loadForAccuracy(source, kernels);
  try {
    return await scoreAlone(model, items);
  } finally {
    await model.close();
  }
}

/** Tokens, log-probabilities (`bound`: nats per token) and greedy verdicts of all continuations against PyTorch's. */
export function assertAccuracy(t: ExecutionContext, scored: Likelihood[][], { items }: Reference, bound: number): void {
  const [actual, expected] = [scored.flat(), items.flatMap(continuationsOf)];
  t.deepEqual(
    actual.map(({ tokens }) => tokens),
    expected.map(({ tokens }) => tokens.length),
  );
  const mean = meanDifference(actual, expected);
  t.log(`mean difference to PyTorch: ${mean.toFixed(5)} nats per token over ${actual.length} continuations`);
  t.true(mean <= bound, `${mean} > ${bound}`);
  for (const [index, { margin, text }] of expected.entries()) {
    if (Math.abs(margin) >= closeMargin) t.is(actual[index].isGreedy, margin > 0, text);
  }
}
