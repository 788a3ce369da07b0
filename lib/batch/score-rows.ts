import type { Likelihood, Model, Prefix } from '../index.js';
import type { ResolvedRow, ScoreRow, ScoreRowsOptions } from '../options.js';
import { checkRowId, resolveScoreRow, resolveScoreRowsOptions } from '../options.js';
import type { Answer, Questions } from '../questions/question.js';
import { rowError, settleRow } from './row-error.js';
import type { RowError } from './row-error.js';
import type { Placed, RowWork } from './window.js';
import { mapGrouped } from './window.js';

/** What a row has become. */
export interface ScoredRow<Row = ScoreRow> {
  /** The row's own, else its index. */
  id: string | number;
  /** Its place in the input, from 0. */
  index: number;
  row: Row;
  /** One per continuation, in their order. */
  scores?: Likelihood[];
  /** By the names of the questions. */
  answers?: Record<string, Answer>;
  /** Then it has neither scores nor answers. */
  error?: RowError;
}

interface PlacedRow<Row> extends Placed {
  row: Row;
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
export function scoreRows<Row extends ScoreRow = ScoreRow>(
  model: Model,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: ScoreRowsOptions = {},
): AsyncGenerator<ScoredRow<Row>, void> {
  const { questions, ordered, window, signal } = resolveScoreRowsOptions(options, model.info.vocabularySize);
  const place = (row: Row, index: number) =>
    placeRow(row, index, () => resolveScoreRow(row, questions, model.info.vocabularySize));
  const flightSize = flightSteps * charactersPerToken * model.info.maxStepTokens;
  return mapGrouped(numbered(rows, place), new Scoring<Row>(model), {
    rows: window,
    size: windowSize,
    flightSize,
    ...flight,
    ordered,
    signal,
  });
}

async function* numbered<Row, Placed>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  place: (row: Row, index: number) => Placed,
): AsyncGenerator<Placed, void> {
  let index = 0;
  for await (const row of rows) yield place(row, index++);
}

function placeRow<Row>(row: Row, index: number, resolve: () => ResolvedRow): PlacedRow<Row> {
  try {
    const resolved = resolve();
    return {
      row,
      index,
      resolved,
      key: resolved.key,
      contextSize: resolved.key.length,
      askedSize: askedSize(resolved),
    };
  } catch (error) {
    return { row, index, error: rowError(error), key: `row ${index}`, contextSize: 0, askedSize: 0 };
  }
}

const questionCharacters = 200; // Of a question with its frame, roughly.

function askedSize({ continuations = [], questions = [] }: ResolvedRow): number {
  return continuations.reduce((sum, text) => sum + text.length, 0) + questionCharacters * questions.length;
}

/** Scores rows, those with the same context on one pinned prefix: whatever else runs, it stays in the cache. */
class Scoring<Row> implements RowWork<PlacedRow<Row>, ScoredRow<Row>, Prefix> {
  readonly #model: Model;
  #pinnedTokens = 0; // Or how many there will be, roughly.

  constructor(model: Model) {
    this.#model = model;
  }

  /** Pinned prefixes must leave room for what is asked on them: half of the cache. */
  async open({ resolved, contextSize }: PlacedRow<Row>, signal: AbortSignal): Promise<Prefix | undefined> {
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
    { row, index, resolved, error }: PlacedRow<Row>,
    signal: AbortSignal,
    prefix: Prefix | undefined,
  ): Promise<ScoredRow<Row>> {
    const named = { id: idOf(row, index), index, row };
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
  return { ...(scores && { scores }), ...(answers && { answers: answers as Record<string, Answer> }) };
}
