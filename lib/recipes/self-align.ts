import type { GenerationOptions, Model, Prefix } from '../index.js';
import { checkFilledText, checkInteger } from '../options/checks.js';
import type { DromedaryPrompts } from './prompts/dromedary.js';
import { dromedaryPrompts } from './prompts/dromedary.js';
import { fill, withPrompts } from './prompts.js';
import { mapOrdered } from './rows.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun, resolveRecipeOptions } from './run.js';
import type { Segment } from './segments.js';
import { SegmentSplitter } from './segments.js';
import { oneLine } from './text.js';
import type { Drawing } from './work.js';
import { deriveSeed } from './work.js';

// SELF-ALIGN, stage 2 (Dromedary, arXiv 2305.03047, section 3.2): principle-driven answers on one pinned prompt.

export interface AlignedAnswer {
  question: string;
  /** Which principles apply, and why. */
  thoughts: string;
  /** '' = the thoughts did not come to an end. */
  answer: string;
}

export interface AlignOptions extends RecipeOptions {
  /** @default maxTokens 256, topP 0.9, temperature 0.5, as published */
  drawing?: Drawing;
  prompts?: Partial<DromedaryPrompts>;
}

export type AlignPartial = { type: 'segment' } & Segment;

/**
 * One answer, its thoughts and its words streamed apart.
 *
 * @example
 * for await (const event of alignedAnswer(model, { question: 'Why is the sky blue?' }))
 *   if (event.type === 'segment' && event.segment === 'answer') process.stdout.write(event.text);
 */
export function alignedAnswer(
  model: Model,
  options: AlignOptions & { question: string },
): RecipeRun<AlignPartial, AlignedAnswer> {
  checkRecipeNames(options, ['question', 'drawing', 'prompts']);
  const question = checkFilledText('question', options.question);
  const { prompts, drawing } = resolveAlign(model, options);
  return new RecipeRun(async (run) => {
    const prefix = await run.prefill(model, 'principles', { prompt: prompts.principles });
    const how = { ...drawing, seed: run.seedFor('answer'), signal: run.signal };
    const { aligned, usage } = await answerOn(prefix, question, prompts, how, (segment) =>
      run.emit({ type: 'segment', ...segment }),
    );
    run.record({ stage: 'answer', kind: 'generate', count: 1, usage });
    if (aligned.answer === '') run.drop('answer', 'the thoughts did not come to an end');
    return aligned;
  }, options);
}

export interface AlignRowsOptions extends AlignOptions {
  /** Questions at once, 1 to 1,024; the engine decides how many run. @default 64 */
  atOnce?: number;
}

export interface AlignedRow extends AlignedAnswer {
  /** Its place in the input, from 0. */
  index: number;
  seed: number;
  /** Tokens of the question and of the answer; the shared prompt is in none of them. */
  evaluatedTokens: number;
  generatedTokens: number;
}

/**
 * Answers questions under the principles, which are evaluated once and pinned while it runs. In the questions' order.
 *
 * @example
 * for await (const { question, answer } of alignedAnswers(model, questions)) console.log(question, answer);
 */
export async function* alignedAnswers(
  model: Model,
  questions: AsyncIterable<string> | Iterable<string>,
  options: AlignRowsOptions = {},
): AsyncGenerator<AlignedRow, void> {
  checkRecipeNames(options, ['drawing', 'prompts', 'atOnce']);
  const { prompts, drawing } = resolveAlign(model, options);
  const atOnce = checkInteger('atOnce', options.atOnce ?? 64, 1, 1024);
  const { seed: first, signal } = resolveRecipeOptions(options);
  const prefix = await model.prefill({ prompt: prompts.principles, ...(signal && { signal }) });
  const answer = async (question: string, index: number, stop: AbortSignal): Promise<AlignedRow> => {
    const seed = deriveSeed(first, 'row', index);
    const { aligned, usage } = await answerOn(prefix, question, prompts, { ...drawing, seed, signal: stop });
    const { evaluatedPromptTokens: evaluatedTokens, generatedTokens } = usage;
    return { index, ...aligned, seed, evaluatedTokens, generatedTokens };
  };
  try {
    yield* mapOrdered(questions, atOnce, answer, signal);
  } finally {
    await prefix.close();
  }
}

function resolveAlign(model: Model, options: AlignOptions): { prompts: DromedaryPrompts; drawing: Drawing } {
  const drawing = { maxTokens: 256, topP: 0.9, temperature: 0.5, logitBias: withoutSorry(model), ...options.drawing };
  return { prompts: withPrompts(dromedaryPrompts, options.prompts), drawing };
}

/** −100 on "Sorry", as published: answers that begin with it explain nothing. Only where it is a token of its own. */
function withoutSorry(model: Model): Record<number, number> {
  const tokenised = ['Sorry', ' Sorry'].map((word) => model.tokenize(word, { addSpecial: false }));
  return Object.fromEntries(tokenised.filter(({ length }) => length === 1).map(([token]) => [token, -100]));
}

async function answerOn(
  prefix: Prefix,
  question: string,
  prompts: DromedaryPrompts,
  how: Drawing & Pick<GenerationOptions, 'seed' | 'signal'>,
  onSegment: (segment: Segment) => void = () => {},
) {
  const prompt = fill(prompts.question, { question: oneLine(question) });
  const generation = prefix.generate({ ...how, prompt, stop: prompts.stop });
  const splitter = new SegmentSplitter(prompts.answerMark);
  const texts = { thoughts: '', answer: '' };
  const take = (segments: Segment[]) => {
    for (const one of segments) {
      texts[one.segment] += one.text;
      onSegment(one);
    }
  };
  for await (const event of generation) if (event.type === 'token') take(splitter.push(event.text));
  take(splitter.end());
  const { usage } = await generation.result();
  return { aligned: { question, thoughts: texts.thoughts.trim(), answer: texts.answer.trim() }, usage };
}
