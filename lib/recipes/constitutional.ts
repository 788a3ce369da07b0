import type { LabelsQuestion, Message, Model } from '../index.js';
import { checkArray, checkBoolean, checkFilledText, checkInteger } from '../options/checks.js';
import { resolveMessages } from '../options.js';
import { clampPreference, preferenceOf } from './formulas/preferences.js';
import { aOrB } from './judging.js';
import type { ConstitutionPrompts, Principle } from './prompts/constitution.js';
import { constitution, constitutionPrompts, preferencePrinciples } from './prompts/constitution.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import { asLines } from './text.js';
import type { Drawing, RecipeWork } from './work.js';

// Constitutional AI (arXiv 2212.08073): critique and revision (section 3), AI preference labels (section 4).

export interface CritiqueOptions extends RecipeOptions {
  /** The conversation, ending in the user's message. */
  messages: readonly Message[];
  /** Each round draws one, by the seed, none twice before all have been. @default four, in our words */
  principles?: readonly Principle[];
  /** Critiques and revisions, 0 to 32. @default 4, as published */
  rounds?: number;
  /** @default maxTokens 96, temperature 1 */
  drawing?: Drawing;
}

export interface RevisionRound {
  /** Name of the principle. */
  principle: string;
  critique: string;
  revision: string;
}

export interface CritiqueResult {
  /** The last revision. */
  answer: string;
  first: string;
  rounds: RevisionRound[];
}

export type CritiquePartial = { type: 'answer'; text: string } | ({ type: 'revision'; round: number } & RevisionRound);

/**
 * Answers, then criticises and rewrites the answer under one principle after the other, on the growing conversation.
 *
 * @example
 * const { answer, rounds } = await critiqueAndRevise(model, { messages, rounds: 2 }).result();
 */
export function critiqueAndRevise(model: Model, options: CritiqueOptions): RecipeRun<CritiquePartial, CritiqueResult> {
  checkRecipeNames(options, ['messages', 'principles', 'rounds', 'drawing']);
  const principles = options.principles ?? constitution;
  checkArray('principles', principles, 1, 1024, 'principles');
  principles.forEach(({ critique, revision }, index) => {
    checkFilledText(`principles[${index}].critique`, critique);
    checkFilledText(`principles[${index}].revision`, revision);
  });
  const settings = {
    messages: resolveMessages(options.messages),
    principles,
    rounds: checkInteger('rounds', options.rounds ?? 4, 0, 32),
    drawing: { maxTokens: 96, ...options.drawing },
  };
  return new RecipeRun((run) => revise(run, model, settings), options);
}

type Work = RecipeWork<CritiquePartial>;

async function revise(
  run: Work,
  model: Model,
  settings: { messages: Message[]; principles: readonly Principle[]; rounds: number; drawing: Drawing },
): Promise<CritiqueResult> {
  const conversation = [...settings.messages];
  const say = async (stage: string, round: number, request?: string) => {
    if (request !== undefined) conversation.push({ role: 'user', content: request });
    const { text } = await run.generate(model, stage, { ...settings.drawing, messages: conversation }, [round]);
    conversation.push({ role: 'assistant', content: text });
    return text;
  };
  const first = await say('answer', 0);
  run.emit({ type: 'answer', text: first });
  const rounds: RevisionRound[] = [];
  for (const [round, principle] of drawPrinciples(run, settings.principles, settings.rounds).entries()) {
    const critique = await say('critique', round, principle.critique);
    const revision = await say('revision', round, principle.revision);
    run.drop(rounds.at(-1)?.revision ?? first, `revised under the principle '${principle.name}'`);
    rounds.push({ principle: principle.name, critique, revision });
    run.emit({ type: 'revision', round, principle: principle.name, critique, revision });
  }
  return { answer: rounds.at(-1)?.revision ?? first, first, rounds };
}

/** Shuffled by the seed, again and again until there are enough. */
function drawPrinciples(run: Work, principles: readonly Principle[], count: number): Principle[] {
  const drawn: Principle[] = [];
  for (let pass = 0; drawn.length < count; pass++) {
    const keys = principles.map((_, index) => run.seedFor('principles', pass, index));
    drawn.push(
      ...principles
        .map((_, index) => index)
        .sort((a, b) => keys[a] - keys[b])
        .map((index) => principles[index]),
    );
  }
  return drawn.slice(0, count);
}

export interface PreferenceLabelOptions extends RecipeOptions {
  /** The conversation that both answer, ending in the user's message. */
  messages: readonly Message[];
  /** The two answers, (A) and (B). */
  answers: readonly [string, string];
  /** @default one of ours, drawn by the seed */
  principle?: string;
  /** Reason first; the preference is then clamped to 0.4 … 0.6, as published. @default false */
  chainOfThought?: boolean;
  /** How the reasoning is drawn. @default maxTokens 96, temperature 0 */
  drawing?: Drawing;
  prompts?: Partial<ConstitutionPrompts>;
}

export interface PreferenceLabelResult {
  /** Target for training: P(A) ÷ (P(A) + P(B)), clamped where it was worked out. */
  preference: number;
  /** Before clamping. */
  raw: number;
  principle: string;
  /** null without a chain of thought. */
  reasoning: string | null;
}

export type PreferenceLabelPartial = { type: 'reasoning'; text: string };

/**
 * An AI's preference between two answers under a principle, as a label to train a preference model on.
 *
 * @example
 * const { preference } = await preferenceLabel(model, { messages, answers: [one, other] }).result();
 */
export function preferenceLabel(
  model: Model,
  options: PreferenceLabelOptions,
): RecipeRun<PreferenceLabelPartial, PreferenceLabelResult> {
  checkRecipeNames(options, ['messages', 'answers', 'principle', 'chainOfThought', 'drawing', 'prompts']);
  const [a, b] = [0, 1].map((index) => checkFilledText(`answers[${index}]`, options.answers?.[index]));
  const settings = {
    shown: { conversation: asLines(resolveMessages(options.messages)), a, b },
    principle: options.principle === undefined ? undefined : checkFilledText('principle', options.principle),
    chainOfThought: checkBoolean('chainOfThought', options.chainOfThought ?? false),
    drawing: { maxTokens: 96, temperature: 0, ...options.drawing },
    prompts: withPrompts(constitutionPrompts, options.prompts),
  };
  return new RecipeRun((run) => label(run, model, settings), options);
}

interface LabelSettings {
  shown: { conversation: string; a: string; b: string };
  principle: string | undefined;
  chainOfThought: boolean;
  drawing: Drawing;
  prompts: ConstitutionPrompts;
}

async function label(
  run: RecipeWork<PreferenceLabelPartial>,
  model: Model,
  { shown, principle: given, chainOfThought, drawing, prompts }: LabelSettings,
): Promise<PreferenceLabelResult> {
  const drawn = preferencePrinciples[run.seedFor('principle') % preferencePrinciples.length];
  const principle = given ?? drawn;
  const asked = fill(prompts.preference, { ...shown, principle });
  const content = `${asked}\n${chainOfThought ? prompts.reason : prompts.label}`;
  const prefix = await run.prefill(model, 'preference', { messages: [{ role: 'user', content }] });
  let reasoning: string | null = null;
  let question: LabelsQuestion = aOrB;
  if (chainOfThought) {
    reasoning = (await run.generate(prefix, 'reasoning', drawing)).text.trim();
    run.emit({ type: 'reasoning', text: reasoning });
    question = { ...aOrB, suffix: `${reasoning}\n${prompts.conclude}` };
  }
  const { better } = await run.classify(prefix, 'label', undefined, { better: question });
  const raw = preferenceOf({ a: better.logprobs['a'], b: better.logprobs['b'] });
  const preference = chainOfThought ? clampPreference(raw) : raw;
  run.score('(A)', { preference, raw });
  return { preference, raw, principle, reasoning };
}
