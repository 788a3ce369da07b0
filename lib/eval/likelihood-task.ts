import type { Likelihood } from '../index.js';
import type { LikelihoodRequest, Task } from './task.js';

/** Log-likelihoods of continuations, by request. */
export type Logprobs = number[][];

/** A task that asks for nothing but log-likelihoods. */
export function likelihoodTask<Item, Row>(
  task: Omit<Task<Item, Row>, 'run' | 'requests'> & {
    requests(item: Item): LikelihoodRequest[];
    row(item: Item, logprobs: Logprobs): Row;
  },
): Task<Item, Row> {
  return {
    ...task,
    async run(item, { model, signal }) {
      const scored = task
        .requests(item)
        .map(({ context, continuations }) => model.logLikelihood({ prompt: context, signal }, continuations));
      return task.row(item, (await Promise.all(scored)).map(logprobsOf));
    },
  };
}

const logprobsOf = (likelihoods: Likelihood[]): number[] => likelihoods.map(({ logprob }) => logprob);
