import type { Model, Prefix } from '../index.js';
import { checkFilledText, checkFunction, checkInteger } from '../options/checks.js';
import type { ReasoningPrompts } from './prompts/reasoning.js';
import { reasoningPrompts } from './prompts/reasoning.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import { numberBehind } from './self-consistency.js';
import { oneLine } from './text.js';
import type { Drawing, RecipeWork } from './work.js';

// Least-to-most prompting (arXiv 2205.10625): take the question apart, then answer the parts in order, each behind the
// answers before it.

export interface LeastToMostOptions extends RecipeOptions {
  question: string;
  /** Sub-questions at most, the question itself not counted, 1 to 32. @default 4, ours */
  most?: number;
  /** @default the first number behind "The answer is" */
  parse?: (text: string) => string | null;
  /** @default maxTokens 64, temperature 0 */
  drawing?: Drawing;
  prompts?: Partial<ReasoningPrompts>;
}

export interface LeastToMostStep {
  question: string;
  text: string;
  /** null = none could be read. */
  answer: string | null;
}

export interface LeastToMostResult {
  /** Of the last step, which asks the question itself. */
  answer: string | null;
  steps: LeastToMostStep[];
}

export type LeastToMostPartial = ({ type: 'step' } & LeastToMostStep) | { type: 'plan'; questions: string[] };

type Settings = Required<Omit<LeastToMostOptions, 'seed' | 'signal' | 'prompts'>> & { prompts: ReasoningPrompts };
type Work = RecipeWork<LeastToMostPartial>;

/**
 * @example
 * const { answer, steps } = await leastToMost(model, { question }).result();
 */
export function leastToMost(
  model: Model,
  options: LeastToMostOptions,
): RecipeRun<LeastToMostPartial, LeastToMostResult> {
  checkRecipeNames(options, ['question', 'most', 'parse', 'drawing', 'prompts']);
  const prompts = withPrompts(reasoningPrompts, options.prompts);
  const settings: Settings = {
    question: oneLine(checkFilledText('question', options.question)),
    most: checkInteger('most', options.most ?? 4, 1, 32),
    parse: checkFunction('parse', options.parse ?? ((text: string) => numberBehind(text, prompts.answerMark))),
    drawing: { maxTokens: 64, temperature: 0, ...options.drawing },
    prompts,
  };
  return new RecipeRun(async (run) => solve(run, model, settings, await plan(run, model, settings)), options);
}

/** The sub-questions stand in quotation marks; those that say the same come once. */
async function plan(run: Work, model: Model, { prompts, question, most, drawing }: Settings): Promise<string[]> {
  const pinned = await run.prefill(model, 'plan', { prompt: prompts.decompose });
  const prompt = fill(prompts.decomposeQuestion, { question });
  const { text } = await run.generate(pinned, 'plan', { ...drawing, prompt, stop: '\n' });
  const found = [...text.matchAll(/"([^"]+\?)"/g)].map(([, part]) => oneLine(part));
  const different = [...new Set(found)].filter((part) => part !== question);
  for (const part of different.slice(most)) run.drop(part, `only ${most} sub-questions are asked`);
  const questions = different.slice(0, most);
  run.emit({ type: 'plan', questions });
  return questions;
}

/** One growing sequence: what has been answered is evaluated once. */
async function solve(
  run: Work,
  model: Model,
  settings: Settings,
  subQuestions: readonly string[],
): Promise<LeastToMostResult> {
  const { prompts, question, parse, drawing } = settings;
  const steps: LeastToMostStep[] = [];
  let prefix: Prefix = await run.prefill(model, 'solve', { prompt: prompts.solve });
  prefix = await run.prefill(prefix, 'solve', { prompt: fill(prompts.problem, { question }) });
  for (const [index, part] of [...subQuestions, question].entries()) {
    run.progress('solve', index, subQuestions.length + 1);
    prefix = await run.prefill(prefix, 'solve', { prompt: fill(prompts.subQuestion, { question: part }) });
    const { text } = await run.generate(prefix, 'solve', { ...drawing, stop: '\nQ:' }, [index]);
    const step = { question: part, text: text.trim(), answer: parse(text) };
    steps.push(step);
    if (step.answer === null) run.drop(part, 'no answer can be read off it');
    run.emit({ type: 'step', ...step });
    prefix = await run.prefill(prefix, 'solve', { prompt: ` ${step.text}\n` });
  }
  return { answer: steps[steps.length - 1].answer, steps };
}
