// What becomes of a row of `winnow batch`: one function per recipe. A new one is a line here and a name in
// lib/options/run-batch.ts.
import type { Model } from '../index.js';
import type { BatchRecipeName, ResolvedRunBatchOptions, RowDrawing } from '../options.js';
import { resolveBatchRow } from '../options.js';
import type { RowFields } from './map-rows.js';

export interface RecipeContext {
  model: Model;
  options: Pick<ResolvedRunBatchOptions, 'drawing' | 'candidates'>;
  /** Of this row, unless it names one. */
  seed: number;
  signal: AbortSignal;
}

/** Throws OptionError for a row that can't be asked. */
export type BatchRecipe = (fields: RowFields, context: RecipeContext) => Promise<RowFields>;

const drawingOf = (own: RowDrawing, { options, seed }: RecipeContext): RowDrawing => ({
  ...options.drawing,
  seed,
  ...own,
});

/** One answer. */
const generate: BatchRecipe = async (fields, context) => {
  const { input, drawing } = resolveBatchRow(fields);
  const generation = context.model.generate({ ...input, ...drawingOf(drawing, context), signal: context.signal });
  const { text, reason, seed, tokens } = await generation.result();
  return { text, reason, seed, tokens };
};

/** LaMDA's turn: many answers, scored on the same cache; the unsafe are dropped, the best one stays. */
const lamda: BatchRecipe = async (fields, context) => {
  const { input, drawing } = resolveBatchRow(fields);
  const { model, signal, options } = context;
  const prefix = await model.prefill({ ...input, signal });
  try {
    const turn = prefix.winnow({ ...drawingOf(drawing, context), candidates: options.candidates, signal });
    const { outcome, chosen, bestRejected, candidates, seed } = await turn.result();
    const { text, scores, rank, failed } = (chosen ?? bestRejected)!; // No checks, so none was stopped.
    const kept = candidates.filter((candidate) => candidate.kept).length;
    return { outcome, text, scores, rank, failed, kept, seed };
  } finally {
    await prefix.close();
  }
};

export const batchRecipes: Record<BatchRecipeName, BatchRecipe> = { generate, lamda };
