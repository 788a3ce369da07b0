import type { LabelsQuestion, Message, Model } from '../index.js';
import { checkFilledText, checkNumber } from '../options/checks.js';
import { resolveMessages } from '../options.js';
import type { PairLogprobs } from './formulas/preferences.js';
import { preferenceOf, swappedPreference } from './formulas/preferences.js';
import type { JudgingPrompts } from './prompts/judging.js';
import { judgingPrompts } from './prompts/judging.js';
import { asLines } from './text.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { RecipeWork } from './work.js';

// Pairwise comparison with the order swapped and summed (Vicuna; Dromedary, arXiv 2305.03047, section 4.1; on the leaning to
// one place: Zheng et al., arXiv 2306.05685, section 3.3).

export interface ComparisonOptions extends RecipeOptions {
  /** The conversation that both answer, ending in the user's message. */
  messages: readonly Message[];
  /** The two answers. */
  answers: readonly [string, string];
  /** Preferences within this of 0.5 are ties, 0 to 0.5. @default 0: only what is equal */
  margin?: number;
  prompts?: Partial<JudgingPrompts>;
}

export interface ComparisonResult {
  /** P(the first answer is better), summed over both orders. */
  preference: number;
  winner: 'first' | 'second' | 'tie';
  /** P(the first answer is better) by order alone: far apart = the judge looks at the place, not at the answer. */
  asGiven: number;
  swapped: number;
  /** The two orders name different winners. */
  isInconsistent: boolean;
}

export type ComparisonPartial = { type: 'order'; order: 'as-given' | 'swapped'; preference: number };

/**
 * Which of two answers is better, by the judge's labels A and B in both orders.
 *
 * @example
 * const { preference, winner } = await compareAnswers(judge, { messages, answers: [ours, theirs] }).result();
 */
export function compareAnswers(
  judge: Model,
  options: ComparisonOptions,
): RecipeRun<ComparisonPartial, ComparisonResult> {
  checkRecipeNames(options, ['messages', 'answers', 'margin', 'prompts']);
  const { answers, margin = 0 } = options;
  const [first, second] = [0, 1].map((index) => checkFilledText(`answers[${index}]`, answers?.[index]));
  checkNumber('margin', margin, 'from 0 to 0.5', (value) => value >= 0 && value <= 0.5);
  const conversation = asLines(resolveMessages(options.messages));
  const prompts = withPrompts(judgingPrompts, options.prompts);
  return new RecipeRun(async (run) => {
    const ask = (order: 'as-given' | 'swapped', a: string, b: string) =>
      askPair(run, judge, prompts, order, { conversation, a, b });
    const [asGiven, swapped] = await Promise.all([ask('as-given', first, second), ask('swapped', second, first)]);
    return verdict(run, asGiven, swapped, margin);
  }, options);
}

/** The first word of the judge's answer. */
export const aOrB = { type: 'labels', suffix: '', labels: { a: 'A', b: 'B' } } as const satisfies LabelsQuestion;

async function askPair(
  run: RecipeWork<ComparisonPartial>,
  judge: Model,
  prompts: JudgingPrompts,
  order: 'as-given' | 'swapped',
  shown: { conversation: string; a: string; b: string },
): Promise<PairLogprobs> {
  const messages = [{ role: 'user', content: fill(prompts.pair, shown) }];
  const { better } = await run.classify(judge, order, { messages }, { better: aOrB });
  const logprobs = { a: better.logprobs.a, b: better.logprobs.b };
  const preference = preferenceOf(logprobs);
  run.emit({ type: 'order', order, preference: order === 'as-given' ? preference : 1 - preference });
  return logprobs;
}

function verdict(
  run: RecipeWork<ComparisonPartial>,
  asGivenLogprobs: PairLogprobs,
  swappedLogprobs: PairLogprobs,
  margin: number,
): ComparisonResult {
  const preference = swappedPreference(asGivenLogprobs, swappedLogprobs);
  const [asGiven, swapped] = [preferenceOf(asGivenLogprobs), 1 - preferenceOf(swappedLogprobs)];
  run.score('first', { preference, asGiven, swapped });
  const winner = Math.abs(preference - 0.5) <= margin ? 'tie' : preference > 0.5 ? 'first' : 'second';
  if (winner !== 'tie') run.drop(winner === 'first' ? 'second' : 'first', `the ${winner} answer is preferred`);
  return { preference, winner, asGiven, swapped, isInconsistent: asGiven > 0.5 !== swapped > 0.5 };
}
