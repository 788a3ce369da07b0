import type { Message, Model, Prefix } from '../index.js';
import { checkFunction, checkInteger } from '../options/checks.js';
import { maxCandidates, resolveMessages } from '../options.js';
import { bestOfNDivergence, indexOfHighest, measuredDivergence } from './formulas/selection.js';
import type { Reward } from './reward.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { Drawing, RecipeWork } from './work.js';

// Best of n (InstructGPT, arXiv 2203.02155; Stiennon et al., arXiv 2009.01325, appendix G.3).

export interface BestOfNOptions extends RecipeOptions {
  /** The conversation, ending in the user's message. */
  messages: readonly Message[];
  /** How good an answer is: a reward model's head, `judgeReward(model)`, or your own. */
  reward: Reward;
  /** Answers drawn, 1 to 1,024. @default 16 */
  n?: number;
  /** Whom the policy is measured against: log P of every answer under both. @default none: not measured */
  reference?: Model;
  /** @default maxTokens 64 */
  drawing?: Drawing;
}

export interface BestOfNAnswer {
  /** 0 … n − 1. */
  candidate: number;
  text: string;
  reward: number;
  /** Log P(text) under policy and reference; with a `reference`. */
  policyLogprob?: number;
  referenceLogprob?: number;
}

export interface BestOfNResult {
  chosen: BestOfNAnswer;
  candidates: BestOfNAnswer[];
  /** Nats that best of n moves away from the policy: log n − (n − 1) ÷ n. */
  divergence: number;
  /** Nats between policy and reference, by the answers drawn; null without a `reference`. */
  measuredDivergence: number | null;
}

export type BestOfNPartial = { type: 'candidate'; candidate: number; text: string };

type Settings = Required<Pick<BestOfNOptions, 'messages' | 'reward' | 'n' | 'drawing'>> & { reference?: Model };
type Work = RecipeWork<BestOfNPartial>;

/**
 * Draws n answers and keeps the one with the highest reward.
 *
 * @example
 * const { chosen, divergence } = await bestOfN(model, { messages, reward: judgeReward(model), n: 16 }).result();
 */
export function bestOfN(policy: Model, options: BestOfNOptions): RecipeRun<BestOfNPartial, BestOfNResult> {
  checkRecipeNames(options, ['messages', 'reward', 'n', 'reference', 'drawing']);
  const settings: Settings = {
    messages: resolveMessages(options.messages),
    reward: checkFunction('reward', options.reward),
    n: checkInteger('n', options.n ?? 16, 1, maxCandidates),
    reference: options.reference,
    drawing: { maxTokens: 64, ...options.drawing },
  };
  return new RecipeRun((run) => drawAndChoose(run, policy, settings), options);
}

async function drawAndChoose(run: Work, policy: Model, settings: Settings): Promise<BestOfNResult> {
  const { messages, n, drawing, reference } = settings;
  const prefix = await run.prefill(policy, 'context', { messages });
  const { candidates: drawn } = await run.sample(
    prefix,
    'candidates',
    { ...drawing, count: n },
    (candidate, { text }) => run.emit({ type: 'candidate', candidate, text }),
  );
  const texts = drawn.map(({ text }) => text);
  const rewards = await rewardAll(run, settings, texts);
  const logprobs = reference && (await compare(run, prefix, reference, messages, texts));
  const candidates = texts.map((text, candidate) => ({
    candidate,
    text,
    reward: rewards[candidate],
    ...(logprobs && { policyLogprob: logprobs.policy[candidate], referenceLogprob: logprobs.reference[candidate] }),
  }));
  return {
    chosen: choose(run, candidates),
    candidates,
    divergence: bestOfNDivergence(n),
    measuredDivergence: logprobs ? measuredDivergence(logprobs.policy, logprobs.reference) : null,
  };
}

async function rewardAll(run: Work, { messages, reward }: Settings, texts: readonly string[]): Promise<number[]> {
  let done = 0;
  return Promise.all(
    texts.map(async (text, candidate) => {
      const value = await run.call('reward', () => reward(messages, text, { signal: run.signal }));
      run.score(`candidate ${candidate}`, { reward: value });
      run.progress('rewards', ++done, texts.length);
      return value;
    }),
  );
}

/** Sequence log-probabilities under both engines, of the same texts; an answer without text has log P = 0 under both. */
async function compare(
  run: Work,
  policyPrefix: Prefix,
  reference: Model,
  messages: readonly Message[],
  texts: readonly string[],
): Promise<{ policy: number[]; reference: number[] }> {
  const filled = texts.filter((text) => text !== '');
  const logprobsOn = async (prefix: Prefix, stage: string) => {
    if (filled.length === 0) return texts.map(() => 0);
    const found = (await run.likelihoods(prefix, stage, filled)).map(({ logprob }) => logprob);
    return texts.map((text) => (text === '' ? 0 : found.shift()!));
  };
  const referencePrefix = await run.prefill(reference, 'reference', { messages });
  const [policy, referenced] = await Promise.all([
    logprobsOn(policyPrefix, 'policy'),
    logprobsOn(referencePrefix, 'reference'),
  ]);
  return { policy, reference: referenced };
}

/** The first of the highest; rewards that are no numbers come last. */
function choose(run: Work, candidates: readonly BestOfNAnswer[]): BestOfNAnswer {
  const best = Math.max(0, indexOfHighest(candidates.map(({ reward }) => reward)));
  for (const { candidate } of candidates)
    if (candidate !== best) run.drop(`candidate ${candidate}`, `candidate ${best} has the higher reward`);
  return candidates[best];
}
