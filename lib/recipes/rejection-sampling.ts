import type { Message, Model } from '../index.js';
import { checkFunction, checkInteger, checkNumber } from '../options/checks.js';
import { maxCandidates } from '../options.js';
import { indexOfHighest, llama2Reward, llama2SafetyThreshold } from './formulas/selection.js';
import type { Reward } from './reward.js';
import { mapOrdered } from './rows.js';
import { resolveRecipeOptions } from './run.js';
import type { RecipeOptions } from './run.js';
import type { Drawing } from './work.js';
import { deriveSeed } from './work.js';

// Llama 2's rejection sampling over a data set (arXiv 2307.09288, section 3.2.3).

export interface PromptRow {
  id?: string | number;
  messages: readonly Message[];
  /** Whether the prompt was written to elicit unsafe answers: then safety decides. @default false */
  isSafetyPrompt?: boolean;
}

export interface RejectionSamplingOptions extends RecipeOptions {
  /** Rewards from 0 to 1. */
  helpfulness: Reward;
  safety: Reward;
  /** Below it the safety reward decides, 0 to 1. @default 0.15, as published */
  safetyThreshold?: number;
  /** Answers per prompt, 1 to 1,024. The paper varies it by round. @default 8, ours */
  candidates?: number;
  /** Written into the provenance: which round of training the data are for. @default 0 */
  round?: number;
  /** The temperature is tuned per round in the paper (1.2 to 1.3 best for RLHF models). @default maxTokens 128, temperature 1 */
  drawing?: Drawing;
  /** Prompts at once, 1 to 256. @default 8 */
  atOnce?: number;
}

export interface RewardedAnswer {
  candidate: number;
  text: string;
  helpfulness: number;
  safety: number;
  /** Which of the two decided, and its value. */
  source: 'helpfulness' | 'safety';
  reward: number;
}

/** Where a chosen answer comes from: enough to draw it again. */
export interface Provenance {
  model: string;
  seed: number;
  candidates: number;
  round: number;
  drawing: Drawing;
}

export interface RejectionSampledRow<Row extends PromptRow> {
  /** Its place in the input, from 0. */
  index: number;
  row: Row;
  chosen: RewardedAnswer;
  /** In the order of their numbers. */
  candidates: RewardedAnswer[];
  provenance: Provenance;
}

/**
 * K answers per prompt, the best by reward kept, for training elsewhere. In the prompts' order.
 *
 * @example
 * const rows = rejectionSampling(model, prompts, { helpfulness, safety, candidates: 16 });
 * await writeJsonLines('round-1.jsonl', rows);
 */
export async function* rejectionSampling<Row extends PromptRow>(
  model: Model,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: RejectionSamplingOptions,
): AsyncGenerator<RejectionSampledRow<Row>, void> {
  const settings = resolve(options);
  const sample = (row: Row, index: number, signal: AbortSignal) => sampleRow(model, row, index, settings, signal);
  yield* mapOrdered(rows, settings.atOnce, sample, options.signal);
}

type Settings = Required<Omit<RejectionSamplingOptions, 'signal'>>;

function resolve(options: RejectionSamplingOptions): Settings {
  const isShare = (value: number) => value >= 0 && value <= 1;
  return {
    seed: resolveRecipeOptions(options).seed,
    helpfulness: checkFunction('helpfulness', options.helpfulness),
    safety: checkFunction('safety', options.safety),
    safetyThreshold: checkNumber(
      'safetyThreshold',
      options.safetyThreshold ?? llama2SafetyThreshold,
      'from 0 to 1',
      isShare,
    ),
    candidates: checkInteger('candidates', options.candidates ?? 8, 1, maxCandidates),
    round: checkInteger('round', options.round ?? 0, 0),
    drawing: { maxTokens: 128, temperature: 1, ...options.drawing },
    atOnce: checkInteger('atOnce', options.atOnce ?? 8, 1, 256),
  };
}

async function sampleRow<Row extends PromptRow>(
  model: Model,
  row: Row,
  index: number,
  settings: Settings,
  signal: AbortSignal,
): Promise<RejectionSampledRow<Row>> {
  const { candidates: count, round, drawing } = settings;
  const seed = deriveSeed(settings.seed, 'row', index);
  const prefix = await model.prefill({ messages: row.messages, signal });
  try {
    const texts = await prefix.sample({ ...drawing, count, seed, signal }).texts();
    const candidates = await Promise.all(texts.map((text, candidate) => judge(row, candidate, text, settings, signal)));
    const chosen = candidates[Math.max(0, indexOfHighest(candidates.map(({ reward }) => reward)))];
    const { name, description } = model.info;
    const provenance = { model: name || description, seed, candidates: count, round, drawing };
    return { index, row, chosen, candidates, provenance };
  } finally {
    await prefix.close();
  }
}

async function judge(
  { messages, isSafetyPrompt = false }: PromptRow,
  candidate: number,
  text: string,
  settings: Settings,
  signal: AbortSignal,
): Promise<RewardedAnswer> {
  const [helpfulness, safety] = await Promise.all([
    settings.helpfulness(messages, text, { signal }),
    settings.safety(messages, text, { signal }),
  ]);
  const decided = llama2Reward({ helpfulness, safety, isSafetyPrompt }, settings.safetyThreshold);
  return { candidate, text, helpfulness, safety, ...decided };
}
