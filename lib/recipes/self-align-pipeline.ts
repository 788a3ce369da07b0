import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Model } from '../index.js';
import { checkFilledText } from '../options/checks.js';
import type { DromedaryPrompts } from './prompts/dromedary.js';
import { readJsonLines, writeJsonLines } from './rows.js';
import type { RecipeOptions } from './run.js';
import { checkRecipeNames, RecipeRun } from './run.js';
import type { AlignedRow, AlignRowsOptions } from './self-align.js';
import { alignedAnswers } from './self-align.js';
import type { NewQuestion, SelfInstructOptions } from './self-align-stages.js';
import { selfInstruct, trainingRows, verboseAnswers } from './self-align-stages.js';
import type { RecipeWork } from './work.js';

// All of SELF-ALIGN (Dromedary, arXiv 2305.03047, section 3) as files, each made from the one before it.

type Inner = 'seed' | 'signal' | 'prompts';

export interface SelfAlignOptions extends RecipeOptions {
  /** Where the files go; made if missing. */
  folder: string;
  /** New questions of stage 1. */
  count: number;
  instruct?: Omit<SelfInstructOptions, 'count' | Inner>;
  answers?: Omit<AlignRowsOptions, Inner>;
  verbose?: Omit<AlignRowsOptions, Inner>;
  prompts?: Partial<DromedaryPrompts>;
}

export type SelfAlignStage = 'questions' | 'answers' | 'training' | 'verbose';

/** The files, and how many rows each has. */
export interface SelfAlignResult {
  files: Record<SelfAlignStage, { path: string; rows: number }>;
}

export type SelfAlignPartial = { type: 'file'; stage: SelfAlignStage; path: string; rows: number };

/**
 * All four stages, each to a file of JSON lines: questions, answers with their thoughts, training rows, long training rows.
 * Fine-tuning itself happens elsewhere; stage 4 is meant for the model that stage 3's rows have trained.
 *
 * @example
 * const { files } = await selfAlign(model, { folder: 'aligned', count: 64 }).result();
 */
export function selfAlign(model: Model, options: SelfAlignOptions): RecipeRun<SelfAlignPartial, SelfAlignResult> {
  checkRecipeNames(options, ['folder', 'count', 'instruct', 'answers', 'verbose', 'prompts']);
  checkFilledText('folder', options.folder);
  return new RecipeRun((run) => runStages(run, model, options), options);
}

const stages: readonly SelfAlignStage[] = ['questions', 'answers', 'training', 'verbose'];

async function runStages(
  run: RecipeWork<SelfAlignPartial>,
  model: Model,
  { folder, count, prompts, ...options }: SelfAlignOptions,
): Promise<SelfAlignResult> {
  await mkdir(folder, { recursive: true });
  const fileOf = (stage: SelfAlignStage) => path.join(folder, `${stage}.jsonl`);
  const how = (stage: SelfAlignStage) => ({
    seed: run.seedFor(stage),
    signal: run.signal,
    ...(prompts && { prompts }),
  });
  const questions = () => questionsOf(readJsonLines<NewQuestion>(fileOf('questions')));
  const rowsOf: Record<SelfAlignStage, () => AsyncIterable<unknown>> = {
    questions: () => keptOf(run, selfInstruct(model, { ...options.instruct, count, ...how('questions') })),
    answers: () => alignedAnswers(model, questions(), { ...options.answers, ...how('answers') }),
    training: () => trainingRows(readJsonLines<AlignedRow>(fileOf('answers'))),
    verbose: () => verboseAnswers(model, questions(), { ...options.verbose, ...how('verbose') }),
  };
  const files = {} as SelfAlignResult['files'];
  for (const [done, stage] of stages.entries()) {
    run.progress(stage, done, stages.length);
    files[stage] = { path: fileOf(stage), rows: await writeJsonLines(fileOf(stage), rowsOf[stage]()) };
    run.emit({ type: 'file', stage, ...files[stage] });
  }
  return { files };
}

async function* keptOf(run: RecipeWork<SelfAlignPartial>, rows: AsyncIterable<NewQuestion>) {
  for await (const { question, topic, kept, reason } of rows) {
    if (kept) yield { question, topic };
    else run.drop(question, reason ?? '');
  }
}

async function* questionsOf(rows: AsyncIterable<Pick<NewQuestion, 'question'>>) {
  for await (const { question } of rows) yield question;
}
