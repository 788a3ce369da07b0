import type { Model } from '../index.js';
import { loadModel } from '../index.js';
import type { ResolvedRow, ScoreFileOptions } from '../options.js';
import { resolveQuestions, resolveScoreFileOptions, resolveScoreRow } from '../options.js';
import { formatOf } from './format.js';
import type { InputRow } from './read.js';
import { readRows } from './read.js';
import { scoreItems } from './score-rows.js';

/** What a run would take. */
export interface DryRun {
  rows: number;
  /** Rows that can't be asked as they are. */
  errors: number;
  /** To evaluate; a context that follows itself within the window counts once. Questions are counted without their frames. */
  tokens: number;
  /** From the speed of the first rows, which are scored for it. */
  seconds: number;
}

const sampleRows = 64;
const window = 4096;

/** Reads all rows of the input, scores the first few, and writes nothing. Throws as `scoreFile()` does. */
export async function dryRunScores(options: ScoreFileOptions): Promise<DryRun> {
  const resolved = resolveScoreFileOptions(options);
  const { signal, load, input, csv, limit, shard } = resolved;
  const model = await loadModel(resolved.model, { ...load, ...(signal && { signal }) });
  try {
    const plan = new Plan(model, resolved.questions);
    let read = 0;
    for await (const row of readRows(input, formatOf(input, csv && input === '-'), { signal })) {
      if (read === limit) break;
      if (read++ % shard.count === shard.index - 1) await plan.add(row);
    }
    return await plan.finish(signal);
  } finally {
    await model.close();
  }
}

class Plan {
  readonly #model: Model;
  readonly #questions: [string, NonNullable<ScoreFileOptions['questions']>[string]][] | undefined;
  readonly #sample: ResolvedRow[] = [];
  #sampleTokens = 0;
  #contexts = new Set<string>(); // Of the last `window` rows or more.
  #plan = { rows: 0, errors: 0, tokens: 0 };

  constructor(model: Model, questions: ScoreFileOptions['questions']) {
    this.#model = model;
    this.#questions = questions && resolveQuestions(questions, model.info.vocabularySize);
  }

  async add({ fields, error }: InputRow): Promise<void> {
    this.#plan.rows++;
    if (this.#plan.rows % window === 0) this.#contexts = new Set();
    try {
      if (error) throw error;
      const row = resolveScoreRow(fields, this.#questions, this.#model.info.vocabularySize);
      const tokens = await this.#countTokens(row);
      this.#plan.tokens += tokens;
      if (this.#sample.length >= sampleRows) return;
      this.#sample.push(row);
      this.#sampleTokens += tokens;
    } catch {
      this.#plan.errors++;
    }
  }

  async finish(signal: AbortSignal | undefined): Promise<DryRun> {
    const began = performance.now();
    const scored = scoreItems(this.#model, this.#sample, (row) => row, { ordered: false, window, signal });
    for await (const { error } of scored) if (error) this.#plan.errors++;
    const seconds = (performance.now() - began) / 1000;
    return { ...this.#plan, seconds: (seconds * this.#plan.tokens) / Math.max(1, this.#sampleTokens) };
  }

  async #countTokens({ input, key, continuations = [], questions = [] }: ResolvedRow): Promise<number> {
    const count = (text: string) => this.#model.tokenize(text, { addSpecial: false }).length;
    const asked = [...continuations, ...questions.map(([, question]) => wordsOf(question))];
    const behind = asked.reduce((sum, text) => sum + count(text), 0);
    if (this.#contexts.has(key)) return behind;
    this.#contexts.add(key);
    const context = input.kind === 'text' ? input.text : await this.#model.applyChatTemplate(input.messages);
    return behind + count(context);
  }
}

const wordsOf = (question: object) => Object.values(question).map(String).join(' ');
