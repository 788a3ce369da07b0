// Which of two replies a judge prefers, in both orders (as in arXiv 2306.05685, section 3.4, but with probabilities).
import type { Message } from '../../index.js';
import { resolveMessages } from '../../options.js';
import { checkFilledText } from '../../options/checks.js';
import { share } from '../formulas.js';
import { mean, proportion, statistic, sum } from '../metrics.js';
import { comparison, comparisonLabels } from '../prompts.js';
import type { LikelihoodRequest, Task } from '../task.js';

interface Item {
  conversation: string;
  first: string;
  second: string;
}

interface Row {
  winner: 'first' | 'second' | 'tie';
  /** P(first is better), the mean of both orders. */
  probability: number;
  /** The same one is preferred in both orders. */
  consistent: boolean;
  /** P(first is better) where it is shown first, and where it is shown second. */
  orders: [number, number];
}

export const pairwise: Task<Item, Row> = {
  read: ({ prompt, messages, first, second }) => ({
    conversation:
      prompt === undefined ? transcript(resolveMessages(messages)) : `Message:\n${checkFilledText('prompt', prompt)}`,
    first: checkFilledText('first', first),
    second: checkFilledText('second', second),
  }),
  run: async (item, { judge, signal }) => {
    const asked = requests(item).map(({ context, continuations }) =>
      judge.logLikelihood({ prompt: context, signal }, continuations),
    );
    const [shown, swapped] = (await Promise.all(asked)).map(([a, b]) => share(a.logprob, b.logprob));
    return verdict(shown, 1 - swapped);
  },
  requests,
  metrics: {
    // A tie is half a win.
    winRate: statistic((rows) => sum(rows.map(({ winner }) => points[winner])) / rows.length),
    ties: proportion(({ winner }) => winner === 'tie'),
    consistent: proportion(({ consistent }) => consistent),
    meanProbability: mean(({ probability }) => probability),
  },
};

const points = { first: 1, tie: 0.5, second: 0 };

function requests({ conversation, first, second }: Item): LikelihoodRequest[] {
  const orders = [
    [first, second],
    [second, first],
  ];
  return orders.map(([a, b]) => ({
    context: comparison(conversation, a, b, 'better'),
    continuations: comparisonLabels,
  }));
}

function verdict(shown: number, swapped: number): Row {
  const total = shown + swapped;
  return {
    winner: total > 1 ? 'first' : total < 1 ? 'second' : 'tie',
    probability: total / 2,
    consistent: shown > 0.5 === swapped > 0.5,
    orders: [shown, swapped],
  };
}

const transcript = (messages: Message[]) => messages.map(({ role, content }) => `${role}: ${content}`).join('\n\n');
