import type { Message, Model } from '../index.js';
import { checkFilledText, checkInteger } from '../options/checks.js';
import { resolveMessages } from '../options.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { Drawing, RecipeWork } from './work.js';

// Ghost attention (Llama 2, arXiv 2307.09288, section 3.3): answers are drawn with the instruction at every user turn, and
// trained on with the instruction at the first one only.

/** The instruction attached to every user message. */
export function attachInstruction(messages: readonly Message[], instruction: string): Message[] {
  return messages.map((message) =>
    message.role === 'user' ? { ...message, content: `${instruction}\n\n${message.content}` } : message,
  );
}

export interface GhostAttentionOptions extends RecipeOptions {
  /** What holds for the whole dialogue, such as "Answer like a pirate." */
  instruction: string;
  /** What the user says, turn by turn, 1 to 64. */
  turns: readonly string[];
  /** @default maxTokens 64 */
  drawing?: Drawing;
}

/** A dialogue to train on. */
export interface GhostAttentionResult {
  /** The instruction stands in the first user message only. */
  messages: Message[];
  /** The message that the loss is taken on: the last one. The loss of all before it is zero. */
  lossFrom: number;
}

export type GhostAttentionPartial = { type: 'turn'; turn: number; text: string };

/**
 * Draws a dialogue under an instruction, and gives it in the form that teaches a model to keep to the instruction.
 *
 * @example
 * const { messages, lossFrom } = await ghostAttention(model, { instruction: 'Answer in rhymes.', turns }).result();
 */
export function ghostAttention(
  model: Model,
  options: GhostAttentionOptions,
): RecipeRun<GhostAttentionPartial, GhostAttentionResult> {
  checkRecipeNames(options, ['instruction', 'turns', 'drawing']);
  const instruction = checkFilledText('instruction', options.instruction);
  checkInteger('turns.length', options.turns?.length, 1, 64);
  resolveMessages(options.turns.map((content) => ({ role: 'user', content })));
  const drawing = { maxTokens: 64, ...options.drawing };
  return new RecipeRun((run) => converse(run, model, { ...options, instruction, drawing }), options);
}

async function converse(
  run: RecipeWork<GhostAttentionPartial>,
  model: Model,
  { instruction, turns, drawing }: GhostAttentionOptions,
): Promise<GhostAttentionResult> {
  const messages: Message[] = [];
  for (const [turn, content] of turns.entries()) {
    run.progress('turns', turn, turns.length);
    messages.push({ role: 'user', content });
    const shown = attachInstruction(messages, instruction);
    const { text } = await run.generate(model, 'turn', { ...drawing, messages: shown }, [turn]);
    messages.push({ role: 'assistant', content: text });
    run.emit({ type: 'turn', turn, text });
  }
  return {
    messages: [...attachInstruction(messages.slice(0, 1), instruction), ...messages.slice(1)],
    lossFrom: messages.length - 1,
  };
}
