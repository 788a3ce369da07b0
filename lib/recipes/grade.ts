import type { Message, Model } from '../index.js';
import { resolveMessages } from '../options.js';
import { gradeLevels, judgingPrompts } from './prompts/judging.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';

// Pointwise grading by levels (Zheng et al., arXiv 2306.05685, section 3.1). The newcomer's recipe: docs/recipes.md.

export interface GradeOptions extends RecipeOptions {
  /** A conversation that ends in the answer that is graded. */
  messages: readonly Message[];
  /** 2 to 10 descriptions, the lowest first. @default four, in our words */
  levels?: readonly string[];
}

export interface GradeResult {
  /** Mean level under the probabilities, 0 to levels − 1. */
  grade: number;
  /** The likeliest level, and how likely each is. */
  level: number;
  probabilities: number[];
}

/**
 * @example
 * const { grade } = await gradeAnswer(judge, { messages }).result();
 */
export function gradeAnswer(
  judge: Model,
  options: GradeOptions,
): RecipeRun<{ type: 'graded'; grade: number }, GradeResult> {
  checkRecipeNames(options, ['messages', 'levels']);
  const messages = resolveMessages(options.messages);
  const question = {
    type: 'score',
    instructions: judgingPrompts.grade,
    levels: options.levels ?? gradeLevels,
  } as const;
  return new RecipeRun(async (run) => {
    const { answer } = await run.classify(judge, 'grade', { messages }, { answer: question });
    const { score: grade, probabilities } = answer;
    run.score('answer', { grade });
    run.emit({ type: 'graded', grade });
    return { grade, level: probabilities.indexOf(Math.max(...probabilities)), probabilities };
  }, options);
}
