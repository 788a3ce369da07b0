import type { Message, Model } from '../index.js';
import { checkArray, checkFilledText, checkInteger, checkNumber } from '../options/checks.js';
import { rougeL } from './formulas/overlap.js';
import type { DromedaryPrompts } from './prompts/dromedary.js';
import { dromedaryPrompts, selfInstructSeeds, selfInstructTopics } from './prompts/dromedary.js';
import { fill, withPrompts } from './prompts.js';
import { mapOrdered } from './rows.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, resolveRecipeOptions } from './run.js';
import type { AlignedRow, AlignRowsOptions } from './self-align.js';
import { oneLine } from './text.js';
import type { Drawing } from './work.js';
import { deriveSeed } from './work.js';

// SELF-ALIGN's other stages (Dromedary, arXiv 2305.03047, section 3): new questions, training rows, long answers.

export interface SelfInstructOptions extends RecipeOptions {
  /** How many new questions, 1 to 10 million. */
  count: number;
  /** Questions to begin with. @default six, in our words */
  seeds?: readonly string[];
  /** Each draw is about one of them, in turn. @default eight */
  topics?: readonly string[];
  /** What is as like an earlier question as this (ROUGE-L) is dropped, above 0 to 1. @default 0.7, as Self-Instruct */
  likeness?: number;
  /** Draws at most; it ends sooner once there are `count`. @default 4 × count */
  draws?: number;
  /** Draws at once, 1 to 256. @default 8 */
  atOnce?: number;
  /** @default maxTokens 384, topP 0.98, temperature 1, as published */
  drawing?: Drawing;
  prompts?: Partial<DromedaryPrompts>;
}

export interface NewQuestion {
  question: string;
  topic: string;
  kept: boolean;
  /** Why not. */
  reason?: string;
}

/**
 * Stage 1, topic-guided red-teaming self-instruct (section 3.1): new questions from seeds and topics, like ones dropped.
 * Those that are dropped come too, with the reason.
 */
export async function* selfInstruct(model: Model, options: SelfInstructOptions): AsyncGenerator<NewQuestion, void> {
  const settings = resolveInstruct(options);
  const { seeds, count, atOnce, draws, likeness, signal } = settings;
  const accepted: string[] = [];
  const draw = (index: number, _: number, stop: AbortSignal) => drawQuestions(model, settings, index, stop);
  for await (const { topic, questions } of mapOrdered(Array(draws).keys(), atOnce, draw, signal)) {
    for (const question of questions) {
      const reason = whyNot(question, [...seeds, ...accepted], likeness);
      if (reason === undefined) accepted.push(question);
      yield { question, topic, kept: reason === undefined, ...(reason !== undefined && { reason }) };
      if (accepted.length === count) return;
    }
  }
}

type InstructSettings = Required<Omit<SelfInstructOptions, 'signal' | 'prompts'>> & {
  signal?: AbortSignal;
  prompts: DromedaryPrompts;
};

function resolveInstruct(options: SelfInstructOptions): InstructSettings {
  const names = ['count', 'seeds', 'topics', 'likeness', 'draws', 'atOnce', 'drawing', 'prompts'];
  checkRecipeNames(options, names);
  const count = checkInteger('count', options.count, 1, 10_000_000);
  const checkTexts = (name: string, texts: readonly string[]) =>
    checkArray(name, texts, 1, 100_000, 'texts').map((text, index) => checkFilledText(`${name}[${index}]`, text));
  const isShare = (value: number) => value > 0 && value <= 1;
  return {
    ...resolveRecipeOptions(options),
    count,
    seeds: checkTexts('seeds', options.seeds ?? selfInstructSeeds),
    topics: checkTexts('topics', options.topics ?? selfInstructTopics),
    likeness: checkNumber('likeness', options.likeness ?? 0.7, 'above 0 and at most 1', isShare),
    draws: checkInteger('draws', options.draws ?? 4 * count, 1),
    atOnce: checkInteger('atOnce', options.atOnce ?? 8, 1, 256),
    drawing: { maxTokens: 384, topP: 0.98, temperature: 1, ...options.drawing },
    prompts: withPrompts(dromedaryPrompts, options.prompts),
  };
}

const askedAtOnce = 8; // Questions that one draw is asked for.

async function drawQuestions(
  model: Model,
  { seeds, topics, prompts, drawing, seed }: InstructSettings,
  index: number,
  signal: AbortSignal,
): Promise<{ topic: string; questions: string[] }> {
  const topic = topics[index % topics.length];
  const shown = seeds.map((text, number) => `${number + 1}. ${oneLine(text)}`).join('\n');
  const prompt = fill(prompts.instruct, { seeds: shown, topic, count: askedAtOnce });
  const options = { ...drawing, prompt, seed: deriveSeed(seed, 'instruct', index), signal, stop: '\n\n' };
  const lines = (await model.generate(options).text()).split('\n');
  return { topic, questions: lines.map((line) => oneLine(line.replace(/^\s*\d+[.)]\s*/, ''))).filter(Boolean) };
}

const [fewestWords, mostWords] = [3, 150]; // As Self-Instruct (arXiv 2212.10560, appendix A).

function whyNot(question: string, earlier: readonly string[], likeness: number): string | undefined {
  const words = question.split(' ').length;
  if (words < fewestWords || words > mostWords) return `it has ${words} words`;
  const like = earlier.find((other) => rougeL(question, other) >= likeness);
  return like === undefined ? undefined : `it is like "${like}"`;
}

/** What fine-tuning is fed with, elsewhere. */
export interface TrainingRow {
  messages: Message[];
}

/**
 * Stage 3, principle engraving (section 3.3): the pairs without principles and thoughts. What has no answer is left out.
 */
export async function* trainingRows(
  answers: AsyncIterable<Pick<AlignedRow, 'question' | 'answer'>>,
): AsyncGenerator<TrainingRow, void> {
  for await (const { question, answer } of answers) if (answer !== '') yield { messages: pair(question, answer) };
}

const pair = (question: string, answer: string): Message[] => [
  { role: 'user', content: question },
  { role: 'assistant', content: answer },
];

/** Stage 4, verbose cloning (section 3.4): long answers under a system message that the training rows do without. */
export async function* verboseAnswers(
  model: Model,
  questions: AsyncIterable<string> | Iterable<string>,
  options: AlignRowsOptions = {},
): AsyncGenerator<TrainingRow, void> {
  checkRecipeNames(options, ['drawing', 'prompts', 'atOnce']);
  const { verbose } = withPrompts(dromedaryPrompts, options.prompts);
  const { seed: first, signal } = resolveRecipeOptions(options);
  const atOnce = checkInteger('atOnce', options.atOnce ?? 64, 1, 1024);
  const ngramPenalties = [
    { size: 3, penalty: 1 },
    { size: 4, penalty: 2 },
  ];
  const drawing = { maxTokens: 512, temperature: 0.3, topP: 0.7, ngramPenalties, ...options.drawing };
  const system = { role: 'system', content: verbose };
  const prefix = await model.prefill({ messages: [system], addGenerationPrompt: false, ...(signal && { signal }) });
  const answer = async (question: string, index: number, stop: AbortSignal) => {
    const messages = [{ role: 'user', content: question }];
    const seed = deriveSeed(first, 'verbose', index);
    const text = await prefix.generate({ ...drawing, messages, seed, signal: stop }).text();
    return { messages: pair(question, text.trim()) };
  };
  try {
    yield* mapOrdered(questions, atOnce, answer, signal);
  } finally {
    await prefix.close();
  }
}
