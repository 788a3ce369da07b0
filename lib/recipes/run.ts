// The frame of every recipe: what runs, what it says while it runs, and what it reports in the end.
import { onAbort } from '../abort.js';
import type { Usage } from '../candidates.js';
import { CancelledError } from '../errors.js';
import { EventQueue } from '../event-queue.js';
import { checkFields, checkInteger, checkNames } from '../options/checks.js';
import { resolveSignal } from '../options.js';
import { RecipeWork } from './work.js';

/** Options of every recipe. */
export interface RecipeOptions {
  /** 0 … 2^53 − 1: the same seed gives the same texts and draws. @default random; the report has it */
  seed?: number;
  /** Stops everything that the recipe has running; its loop and its result throw the signal's reason. */
  signal?: AbortSignal;
}

/** What was asked of an engine, or of a function of yours. */
export interface Asked {
  /** Which step of the recipe it belongs to. */
  stage: string;
  kind: 'prefill' | 'generate' | 'sample' | 'turn' | 'classify' | 'likelihood' | 'function';
  /** Answers drawn, questions or continuations asked, calls made. */
  count: number;
  /** Where the engine tells it: of what draws or pins. */
  usage?: Usage;
}

/** Numbers that were found about something: a candidate, a text, a row. */
export interface Scored {
  item: string;
  scores: Readonly<Record<string, number>>;
}

/** What can't be the outcome any more, and why. */
export interface Dropped {
  item: string;
  reason: string;
}

/** Comes with every result. */
export interface RecipeReport {
  seed: number;
  asked: readonly Asked[];
  scored: readonly Scored[];
  dropped: readonly Dropped[];
  /** The sum of what `asked` tells. */
  usage: Usage;
}

export type RecipeFinish<Result> = { type: 'finish' } & Result & { report: RecipeReport };

/** `Partial`: what a recipe shows of its own before it is done. */
export type RecipeEvent<Partial, Result> =
  | { type: 'progress'; stage: string; done: number; total: number | null }
  | ({ type: 'score' } & Scored)
  | ({ type: 'drop' } & Dropped)
  | Partial
  | RecipeFinish<Result>;

export type RecipeResult<Result> = Result & { report: RecipeReport };

/**
 * A running recipe. Iterate over its events, once, or wait for `result()`; either without the other is fine. It runs from
 * its creation on.
 *
 * @example
 * const run = selfConsistency(model, { question: 'How many legs do three spiders have?' });
 * for await (const event of run) if (event.type === 'vote') console.log(event.answer);
 * const { answer, report } = await run.result();
 */
export class RecipeRun<Partial extends { type: string }, Result extends object> implements AsyncIterable<
  RecipeEvent<Partial, Result>
> {
  readonly #queue = new EventQueue<RecipeEvent<Partial, Result>>();
  readonly #controller = new AbortController();
  readonly #result: Promise<RecipeResult<Result>>;

  /** `work` draws, asks and scores through what it is given, so that all of it is stopped and reported. */
  constructor(work: (run: RecipeWork<Partial>) => Promise<Result>, options: RecipeOptions = {}) {
    const { seed, signal } = resolveRecipeOptions(options);
    const removeListener = signal && onAbort(signal, () => this.#controller.abort(signal.reason));
    if (signal?.aborted) this.#controller.abort(signal.reason);
    this.#result = runToEnd(work, seed, this.#controller, this.#queue).finally(removeListener);
    this.#result.catch(() => {}); // An abandoned run is nobody's unhandled rejection.
  }

  result(): Promise<RecipeResult<Result>> {
    return this.#result;
  }

  /** Stops everything; reading and `result()` then throw `ERR_CANCELLED`. */
  cancel(): void {
    this.#controller.abort(new CancelledError());
  }

  /** The events, once. Leaving the loop early (`break`) stops the run. */
  [Symbol.asyncIterator](): AsyncIterator<RecipeEvent<Partial, Result>, undefined> {
    return this.#queue.iterateOnce('recipe', () => this.cancel());
  }
}

async function runToEnd<Partial extends { type: string }, Result extends object>(
  work: (run: RecipeWork<Partial>) => Promise<Result>,
  seed: number,
  controller: AbortController,
  queue: EventQueue<RecipeEvent<Partial, Result>>,
): Promise<RecipeResult<Result>> {
  const { signal } = controller;
  const run = new RecipeWork<Partial>(seed, signal, (event) => queue.push(event));
  try {
    signal.throwIfAborted();
    const result = { ...(await work(run)), report: run.report() };
    signal.throwIfAborted();
    queue.push({ type: 'finish', ...result });
    queue.end();
    return result;
  } catch (error) {
    // What was stopped fails in many ways at once; the signal's reason is the one that counts.
    const reason: unknown = signal.aborted ? signal.reason : error;
    controller.abort(reason); // Whatever still runs for it has no purpose now.
    queue.fail(reason);
    throw reason;
  } finally {
    await run.close();
  }
}

const recipeNames = ['seed', 'signal'] as const;

export function resolveRecipeOptions({ seed, signal }: RecipeOptions): { seed: number; signal?: AbortSignal } {
  return {
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 48) : checkInteger('seed', seed, 0),
    signal: resolveSignal(signal),
  };
}

/** Throws OptionError for a name that neither the frame nor the recipe knows. */
export function checkRecipeNames(options: object, names: readonly string[]): void {
  checkNames('options', checkFields('options', options), [...recipeNames, ...names]);
}
