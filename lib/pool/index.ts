// winnow-llm/pool: a function of yours over many items in worker threads, on the one engine of the process.
import { mapBounded } from '../bounded-map.js';
import { onAbort } from '../abort.js';
import type { ErrorCode } from '../errors.js';
import { ClosedError, OptionError, WinnowError } from '../errors.js';
import type { Model } from '../index.js';
import { loadModel } from '../index.js';
import type { MapOptions, PoolOptions, RequestOptions, ResolvedPoolOptions } from '../options.js';
import { resolveMapOptions, resolvePoolOptions, resolveRequestOptions } from '../options.js';
import { startWorkers } from './workers.js';
import type { Workers } from './workers.js';
import type { ErrorFacts, PoolTask } from './messages.js';

export type { MapOptions, PoolLoadOptions, PoolOptions } from '../options.js';

/** What the function gets beside its item. */
export interface PoolContext {
  /** On the engine that all threads share. The pool closes it. */
  model: Model;
  /** Place of the item among those of its `map()`, from 0. */
  index: number;
  /** Fires when nobody wants the result any more: hand it to the requests. */
  signal: AbortSignal;
}

/** What the module exports. Item and value are copied between threads (structured clone): plain data. */
export type PoolFunction<Item = never, Value = unknown> = (item: Item, context: PoolContext) => Value | Promise<Value>;

/** What became of the item at `index`. */
export type PoolResult<Value> =
  { index: number; value: Value; error?: undefined } | { index: number; value?: undefined; error: Error };

/** Code `ERR_WORKER_DIED`: the item's worker thread ended while it worked on it. Others go on, a new worker starts. */
export class PoolWorkerError extends WinnowError {
  override name = 'PoolWorkerError';

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('ERR_WORKER_DIED', `The worker thread ended while it worked on this item: ${reason}`, { cause });
  }
}

/**
 * Loads the model and starts the workers. They open the same model, which gives them the same engine: one batch and one
 * prefix cache for all.
 *
 * @example
 * const pool = await createPool({ model: 'smollm2-135m', module: new URL('./summarise.js', import.meta.url) });
 */
export async function createPool<Item = unknown, Value = unknown>(
  options: PoolOptions,
): Promise<WorkerPool<Item, Value>> {
  const resolved = resolvePoolOptions(options);
  const model = await loadModel(resolved.model, resolved.load); // Keeps the engine open while workers come and go.
  try {
    return new WorkerPool<Item, Value>(model, resolved, await startWorkers(resolved));
  } catch (error) {
    await model.close();
    throw error;
  }
}

/** Worker threads with one model. Close it when it is no longer needed; an idle one doesn't keep the process alive. */
export class WorkerPool<Item = unknown, Value = unknown> implements AsyncDisposable {
  /** This thread's model on the shared engine: its `stats()` count the requests of all workers. */
  readonly model: Model;
  readonly #options: ResolvedPoolOptions;
  readonly #workers: Workers;
  #jobs = 0;
  #isClosed = false;

  /** @internal */
  constructor(model: Model, options: ResolvedPoolOptions, workers: Workers) {
    this.model = model;
    this.#options = options;
    this.#workers = workers;
  }

  /**
   * The function on every item. At most threads × concurrency items are read whose results have not been taken. An
   * item's failure is its result; the source's own error and `signal.reason` are thrown.
   *
   * @example
   * for await (const { index, value, error } of pool.map(documents, { ordered: false }))
   *   console.log(index, error ? error.message : value);
   */
  map(items: AsyncIterable<Item> | Iterable<Item>, options?: MapOptions): AsyncGenerator<PoolResult<Value>, void> {
    const { ordered, signal } = resolveMapOptions(options);
    this.#assertOpen();
    return this.#map(items, ordered, signal);
  }

  async *#map(
    items: AsyncIterable<Item> | Iterable<Item>,
    ordered: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<PoolResult<Value>, void> {
    const job = ++this.#jobs;
    const limit = this.#options.threads * this.#options.concurrency;
    const work = (item: Item, index: number) => this.#settle({ job, index, item });
    try {
      yield* mapBounded(items, work, { limit, ordered, signal });
    } finally {
      this.#workers.cancel(job);
    }
  }

  /** The function on one item. Throws what it throws (with its name, message and code), or `signal.reason`. */
  async run(item: Item, options?: RequestOptions): Promise<Value> {
    const { signal } = resolveRequestOptions(options);
    this.#assertOpen();
    signal?.throwIfAborted();
    const job = ++this.#jobs;
    const aborted = new Promise<never>((_, reject) => {
      if (signal) onAbort(signal, () => reject(signal.reason as Error));
    });
    try {
      const result = await Promise.race([this.#settle({ job, index: 0, item }), aborted]);
      if (result.error) throw result.error;
      return result.value;
    } finally {
      this.#workers.cancel(job);
    }
  }

  /** Ends the workers, and with them what runs there; then closes the model. Twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#workers.end();
    await this.model.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new ClosedError('pool');
  }

  async #settle(task: PoolTask): Promise<PoolResult<Value>> {
    const { index } = task;
    try {
      const outcome = await this.#workers.run(task);
      return 'error' in outcome ? { index, error: toError(outcome.error) } : { index, value: outcome.value as Value };
    } catch (error) {
      return { index, error: this.#isClosed ? new ClosedError('pool') : failureOf(error) };
    }
  }
}

function failureOf(error: unknown): Error {
  if ((error as Error | null)?.name !== 'DataCloneError') return new PoolWorkerError(error);
  const message = `The item must be plain data: ${(error as Error).message}`;
  return new OptionError('ERR_OPTION_VALUE', message, 'item', undefined);
}

function toError({ name, message, stack, code }: ErrorFacts): Error {
  const error = code?.startsWith('ERR_') ? new WinnowError(code as ErrorCode, message) : new Error(message);
  return Object.assign(error, { name, ...(stack && { stack }) });
}
