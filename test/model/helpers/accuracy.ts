import type { ExecutionContext } from 'ava';
import type { Likelihood, Model } from '../../../lib/index.js';

/** What PyTorch computed in float32, from make_loglikelihood.py. */
export interface Reference {
  modelSha256: string;
  items: ReferenceItem[];
}

export interface ReferenceItem {
  context: string;
  contextTokens: number[];
  continuations: ReferenceContinuation[];
}

export interface ReferenceContinuation {
  text: string;
  tokens: number[];
  tokenLogprobs: number[];
  isGreedy: boolean;
  /** Smallest lead of its tokens over the best other token, in logits. */
  margin: number;
}

type Scored = Pick<Likelihood, 'tokenLogprobs'>;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Mean over the continuations of |difference of log P(continuation)| ÷ its tokens, in nats. */
export function meanDifference(some: readonly Scored[], others: readonly Scored[]): number {
  const differences = some.map(({ tokenLogprobs }, index) => {
    return Math.abs(sum(tokenLogprobs) - sum(others[index].tokenLogprobs)) / tokenLogprobs.length;
  });
  return sum(differences) / differences.length;
}

export const continuationsOf = ({ items }: Reference): ReferenceContinuation[] =>
  items.flatMap(({ continuations }) => continuations);

export const textsOf = ({ continuations }: ReferenceItem): string[] => continuations.map(({ text }) => text);

/** All continuations, one context after the other. */
export async function scoreAlone(model: Model, { items }: Reference): Promise<Likelihood[]> {
  const scored: Likelihood[] = [];
  for (const item of items) scored.push(...(await model.logLikelihood({ prompt: item.context }, textsOf(item))));
  return scored;
}

/** Tokens, log-probabilities and greedy verdicts against PyTorch's; `closeMargin`: below it rounding decides the verdict. */
export function assertAccuracy(
  t: ExecutionContext,
  scored: Likelihood[],
  reference: Reference,
  { bound, closeMargin }: { bound: number; closeMargin: number },
): void {
  const expected = continuationsOf(reference);
  t.deepEqual(
    scored.map(({ tokens }) => tokens),
    expected.map(({ tokens }) => tokens.length),
  );
  const mean = meanDifference(scored, expected);
  t.log(`mean difference to PyTorch: ${mean.toFixed(5)} nats per token over ${scored.length} continuations`);
  t.true(mean <= bound, `${mean} > ${bound}`);
  for (const [index, { isGreedy, margin, text }] of expected.entries()) {
    if (Math.abs(margin) >= closeMargin) t.is(scored[index].isGreedy, isGreedy, text);
  }
}
