// The answers that a request asks for.
import type { GenerationResult, Model, TokenEvent } from '../index.js';
import type { ResolvedOpenAiRequest } from '../options.js';
import { rowSeed } from '../row-seed.js';

export interface AnswerContext {
  model: Model;
  /** What the answers are drawn with where the body names no seed. */
  seed: number;
  /** Seconds since 1970, for `created`. */
  created: number;
  /** What ids are made of. */
  name: string;
  signal?: AbortSignal;
}

export interface Answer {
  result: GenerationResult;
  /** With log-probabilities. */
  tokens: TokenEvent[];
}

/** All answers of all inputs, in their order. Each has a seed of its own; the first of an input has the body's. */
export function drawAnswers(request: ResolvedOpenAiRequest, context: AnswerContext): Promise<Answer[]> {
  const { inputs, count, drawing } = request;
  const { seed = context.seed } = drawing;
  const draws = inputs.flatMap((input) =>
    Array.from({ length: count }, (_, index) => {
      const own = index === 0 ? seed : rowSeed(seed, index);
      return draw({ ...input, ...drawing, seed: own }, context);
    }),
  );
  return Promise.all(draws);
}

async function draw(options: Parameters<Model['generate']>[0], { model, signal }: AnswerContext): Promise<Answer> {
  const generation = model.generate({ ...options, signal });
  const tokens: TokenEvent[] = [];
  if (!options.logprobs && !options.topLogprobs) return { result: await generation.result(), tokens };
  for await (const event of generation) if (event.type === 'token') tokens.push(event);
  return { result: await generation.result(), tokens };
}

/** Tokens of the prompts are counted once however many answers there are. */
export function usageOf(answers: readonly Answer[], count: number): Record<string, number> {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const prompts = answers.filter((_, index) => index % count === 0);
  const prompt_tokens = sum(prompts.map(({ result }) => result.usage.promptTokens));
  const completion_tokens = sum(answers.map(({ result }) => result.usage.generatedTokens));
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

export const finishReason = ({ result }: Answer): string => (result.reason === 'length' ? 'length' : 'stop');

/** The text of a token alone; bytes are null where it is a part of a character. */
export function tokenText(model: Model, token: number): { token: string; bytes: number[] | null } {
  const text = model.detokenize([token], { special: true });
  return { token: text, bytes: text.includes('\uFFFD') ? null : [...Buffer.from(text)] };
}
