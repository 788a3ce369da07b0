import type { BooleanQuestion, Message, Model } from '../index.js';

export interface RewardOptions {
  signal: AbortSignal;
}

/**
 * How good `text` is as the next message of the conversation: the higher the better, any real number. A reward model's
 * head, a judge, or a function of your own.
 */
export type Reward = (context: readonly Message[], text: string, options: RewardOptions) => number | Promise<number>;

/** A judge's question where a reward model has none: in our words. */
export const goodReply = {
  type: 'boolean',
  instructions: 'Is your last message a helpful, honest and harmless reply that a careful person would have chosen?',
} as const satisfies BooleanQuestion;

/**
 * A generative judge as a reward: the log-odds of yes to a question behind the answer.
 *
 * @example
 * const run = bestOfN(model, { messages, reward: judgeReward(judge) });
 */
export function judgeReward(judge: Model, question: BooleanQuestion = goodReply): Reward {
  return async (context, text, { signal }) => {
    const messages = [...context, { role: 'assistant', content: text }];
    const { good } = await judge.classify({ messages, signal }, { good: question });
    return good.logits.yes - good.logits.no;
  };
}

/** The same as a probability, 0 to 1: Llama 2's two rewards are such scores. */
export function judgeProbability(judge: Model, question: BooleanQuestion = goodReply): Reward {
  return async (context, text, { signal }) => {
    const messages = [...context, { role: 'assistant', content: text }];
    const { good } = await judge.classify({ messages, signal }, { good: question });
    return good.probability;
  };
}
