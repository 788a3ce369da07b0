import type { Likelihood, Model, Prefix } from '../index.js';
import type { ResolvedRow, ResolvedScoreRowsOptions, ScoreRow, ScoreRowsOptions } from '../options.js';
import { checkRowId, resolveScoreRow, resolveScoreRowsOptions } from '../options.js';
import type { Answer, Questions } from '../questions/question.js';
import { rowError, settleRow } from './row-error.js';
import type { RowError } from './row-error.js';
import type { Placed, RowWork } from './window.js';
import { mapGrouped } from './window.js';

/** What was asked of a row. */
export interface RowScores {
  /** One per continuation, in their order. */
  scores?: Likelihood[];
  /** By the names of the questions. */
  answers?: Record<string, Answer>;
  /** Then it has neither scores nor answers. */
  error?: RowError;
}

/** What a row has become. */
export interface ScoredRow<Row = ScoreRow> extends RowScores {
  /** The row's own, else its index. */
  id: string | number;
  /** Its place in the input, from 0. */
  index: number;
  row: Row;
}

/** @internal */
export interface ScoredItem<Item> extends RowScores {
  item: Item;
  index: number;
}

interface PlacedItem<Item> extends Placed {
  item: Item;
  index: number;
  resolved?: ResolvedRow;
  error?: RowError;
}

// Some four steps, at four characters per token.
const flightSteps = 4;
const charactersPerToken = 4;
const windowSize = 32 * 1024 * 1024; // Characters of rows that are read ahead.
const flight = { minFlight: 8, maxFlight: 1024 };

/**
 * Scores rows as they come: log-likelihoods of their continuations, answers to their questions. As many are in flight
 * as keep the engine's batch full; rows with the same context within the window are computed one behind the other, so
 * that it is computed once. The source is read no faster than results are taken. What is wrong with a row is its
 * result; what the source throws, and the signal's reason, is thrown.
 *
 * @example
 * for await (const { id, scores } of scoreRows(model, [{ context: 'The sky is', continuations: [' blue', ' green'] }]))
 *   console.log(id, scores?.map(({ logprob }) => logprob));
 */
export async function* scoreRows<Row extends ScoreRow = ScoreRow>(
  model: Model,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: ScoreRowsOptions = {},
): AsyncGenerator<ScoredRow<Row>, void> {
  const resolved = resolveScoreRowsOptions(options, model.info.vocabularySize);
  const resolve = (row: Row) => resolveScoreRow(row, resolved.questions, model.info.vocabularySize);
  for await (const { item: row, index, ...scored } of scoreItems(model, rows, resolve, resolved))
    yield { id: idOf(row, index), index, row, ...scored };
}

/** @internal `resolve` finds what is asked of an item; what it throws is the item's result. */
export function scoreItems<Item>(
  model: Model,
  items: AsyncIterable<Item> | Iterable<Item>,
  resolve: (item: Item) => ResolvedRow,
  { ordered, window, signal }: Pick<ResolvedScoreRowsOptions, 'ordered' | 'window' | 'signal'>,
): AsyncGenerator<ScoredItem<Item>, void> {
  const place = (item: Item, index: number) => placeItem(item, index, resolve);
  const flightSize = flightSteps * charactersPerToken * model.info.maxStepTokens;
  return mapGrouped(numbered(items, place), new Scoring<Item>(model), {
    rows: window,
    size: windowSize,
    flightSize,
    ...flight,
    ordered,
    signal,
  });
}

async function* numbered<Item, Placed>(
  items: AsyncIterable<Item> | Iterable<Item>,
  place: (item: Item, index: number) => Placed,
): AsyncGenerator<Placed, void> {
  let index = 0;
  for await (const item of items) yield place(item, index++);
}

function placeItem<Item>(item: Item, index: number, resolve: (item: Item) => ResolvedRow): PlacedItem<Item> {
  try {
    const resolved = resolve(item);
    const { key } = resolved;
    return { item, index, resolved, key, contextSize: key.length, askedSize: askedSize(resolved) };
  } catch (error) {
    return { item, index, error: rowError(error), key: `row ${index}`, contextSize: 0, askedSize: 0 };
  }
}

const questionCharacters = 200; // Of a question with its frame, roughly.

function askedSize({ continuations = [], questions = [] }: ResolvedRow): number {
  return continuations.reduce((sum, text) => sum + text.length, 0) + questionCharacters * questions.length;
}

/** Scores rows, those with the same context on one pinned prefix: whatever else runs, it stays in the cache. */
class Scoring<Item> implements RowWork<PlacedItem<Item>, ScoredItem<Item>, Prefix> {
  readonly #model: Model;
  #pinnedTokens = 0; // Or how many there will be, roughly.

  constructor(model: Model) {
    this.#model = model;
  }

  /** Pinned prefixes must leave room for what is asked on them: half of the cache. */
  async open({ resolved, contextSize }: PlacedItem<Item>, signal: AbortSignal): Promise<Prefix | undefined> {
    const expected = contextSize / 2;
    if (!resolved || this.#pinnedTokens + expected > this.#model.info.cacheTokens / 2) return undefined;
    this.#pinnedTokens += expected;
    try {
      const prefix = await this.#model.prefill(contextOf(resolved, signal));
      this.#pinnedTokens += prefix.tokens;
      return prefix;
    } catch {
      return undefined; // Each row says for itself what is wrong.
    } finally {
      this.#pinnedTokens -= expected;
    }
  }

  close(prefix: Prefix): void {
    this.#pinnedTokens -= prefix.tokens;
    void prefix.close();
  }

  async run(
    { item, index, resolved, error }: PlacedItem<Item>,
    signal: AbortSignal,
    prefix: Prefix | undefined,
  ): Promise<ScoredItem<Item>> {
    const named = { item, index };
    if (!resolved) return { ...named, error };
    const settled = await settleRow(() => ask(this.#model, resolved, prefix, signal), signal);
    return { ...named, ...(settled.error ? { error: settled.error } : settled.result) };
  }
}

function idOf(row: unknown, index: number): string | number {
  try {
    return checkRowId((row as ScoreRow | null)?.id) ?? index;
  } catch {
    return index; // It is what the row's error is about.
  }
}

const contextOf = ({ input }: ResolvedRow, signal: AbortSignal) =>
  input.kind === 'messages' ? { messages: input.messages, signal } : { prompt: input.text, signal };

async function ask(
  model: Model,
  row: ResolvedRow,
  prefix: Prefix | undefined,
  signal: AbortSignal,
): Promise<Pick<ScoredRow, 'scores' | 'answers'>> {
  const { continuations } = row;
  const questions = row.questions && (Object.fromEntries(row.questions) as Questions);
  const context = contextOf(row, signal);
  const likelihoods = (texts: string[]) =>
    prefix ? prefix.logLikelihood(texts, { signal }) : model.logLikelihood(context, texts);
  const classify = (asked: Questions) => (prefix ? prefix.classify(asked, { signal }) : model.classify(context, asked));
  const [scores, answers] = await Promise.all([
    continuations && likelihoods(continuations),
    questions && classify(questions),
  ]);
  return { ...(scores && { scores }), ...(answers && { answers: answers }) };
}
