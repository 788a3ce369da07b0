import type { Message, Model } from '../index.js';
import { checkFunction, checkInteger } from '../options/checks.js';
import { resolveMessages } from '../options.js';
import type { ReasoningPrompts } from './prompts/reasoning.js';
import { reasoningPrompts } from './prompts/reasoning.js';
import { fill, withPrompts } from './prompts.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { Drawing, RecipeWork } from './work.js';

// Self-debugging (arXiv 2304.05128): what a checker says of an answer goes back as the next turn.

/** null = the answer passes; else what is wrong with it, as the model is told. */
export type Checker = (answer: string, options: { signal: AbortSignal }) => string | null | Promise<string | null>;

export interface SelfDebugOptions extends RecipeOptions {
  /** The conversation, ending in the user's message. */
  messages: readonly Message[];
  /** Runs the tests, the parser, the compiler. */
  check: Checker;
  /** Corrections at most, 0 to 32. @default 3, ours */
  rounds?: number;
  /** @default maxTokens 128, temperature 0 */
  drawing?: Drawing;
  prompts?: Partial<Pick<ReasoningPrompts, 'feedback'>>;
}

export interface Attempt {
  text: string;
  /** null = it passed. */
  complaint: string | null;
}

/** That no attempt passed is an outcome, not an error. */
export type SelfDebugResult =
  | { outcome: 'passed'; answer: string; attempts: Attempt[] }
  | { outcome: 'none-passed'; answer: null; attempts: Attempt[] };

export type SelfDebugPartial = { type: 'attempt'; round: number } & Attempt;

/**
 * @example
 * const check = (text) => (isJson(text) ? null : 'It is not valid JSON.');
 * const { outcome, answer } = await selfDebug(model, { messages, check }).result();
 */
export function selfDebug(model: Model, options: SelfDebugOptions): RecipeRun<SelfDebugPartial, SelfDebugResult> {
  checkRecipeNames(options, ['messages', 'check', 'rounds', 'drawing', 'prompts']);
  const settings = {
    messages: resolveMessages(options.messages),
    check: checkFunction<Checker>('check', options.check),
    rounds: checkInteger('rounds', options.rounds ?? 3, 0, 32),
    drawing: { maxTokens: 128, temperature: 0, ...options.drawing },
    feedback: withPrompts({ feedback: reasoningPrompts.feedback }, options.prompts).feedback,
  };
  return new RecipeRun((run) => debug(run, model, settings), options);
}

interface Settings {
  messages: readonly Message[];
  check: Checker;
  rounds: number;
  drawing: Drawing;
  feedback: string;
}

async function debug(
  run: RecipeWork<SelfDebugPartial>,
  model: Model,
  { messages, check, rounds, drawing, feedback }: Settings,
): Promise<SelfDebugResult> {
  const conversation = [...messages];
  const attempts: Attempt[] = [];
  for (let round = 0; ; round++) {
    const { text } = await run.generate(model, 'attempt', { ...drawing, messages: conversation }, [round]);
    const complaint = await run.call('check', () => check(text, { signal: run.signal }));
    attempts.push({ text, complaint });
    run.emit({ type: 'attempt', round, text, complaint });
    if (complaint === null) return { outcome: 'passed', answer: text, attempts };
    run.drop(`attempt ${round}`, complaint);
    if (round === rounds) return { outcome: 'none-passed', answer: null, attempts };
    conversation.push({ role: 'assistant', content: text });
    conversation.push({ role: 'user', content: fill(feedback, { message: complaint }) });
  }
}
