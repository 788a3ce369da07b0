import { onAbort } from './abort.js';

export interface BoundedMapOptions {
  /** Items that are read and whose results have not been taken yet. */
  limit: number;
  /** Results in the order of their items; otherwise as they come. */
  ordered: boolean;
  signal?: AbortSignal;
}

/** `signal` fires when nobody wants the result any more. */
export type Work<Item, Result> = (item: Item, index: number, signal: AbortSignal) => Promise<Result>;

/**
 * The results of `work` on every item, at most `limit` of them at once: the source is read no faster than results are
 * taken. Throws what the source or `work` throws, or `signal.reason`; then, and when the loop is left, running work is
 * told by its signal and the source is closed.
 */
export async function* mapBounded<Item, Result>(
  source: AsyncIterable<Item> | Iterable<Item>,
  work: Work<Item, Result>,
  options: BoundedMapOptions,
): AsyncGenerator<Result, void> {
  const run = new BoundedMap(source, work, options);
  const removeListener = options.signal && onAbort(options.signal, () => run.fail(options.signal!.reason));
  try {
    options.signal?.throwIfAborted();
    for (let next = await run.next(); next; next = await run.next()) yield next.result;
  } finally {
    removeListener?.();
    run.stop();
  }
}

class BoundedMap<Item, Result> {
  readonly #iterator: AsyncIterator<Item> | Iterator<Item>;
  readonly #work: Work<Item, Result>;
  readonly #options: BoundedMapOptions;
  readonly #controller = new AbortController();
  readonly #ready = new Map<number, { result: Result }>(); // In order of completion.
  #read = 0; // Items so far.
  #taken = 0; // Results so far.
  #isReading = false;
  #isEnded = false;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(source: AsyncIterable<Item> | Iterable<Item>, work: Work<Item, Result>, options: BoundedMapOptions) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#work = work;
    this.#options = options;
  }

  /** undefined = that was all. */
  async next(): Promise<{ result: Result } | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      this.#fill();
      const next = this.#take();
      if (next) return next;
      if (this.#isEnded && this.#read === this.#taken) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  stop(): void {
    this.#controller.abort();
    if (this.#isEnded) return;
    this.#isEnded = true;
    // What its closing throws has nowhere to go: the loop has ended for another reason.
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  #fill(): void {
    const isFull = this.#read - this.#taken >= this.#options.limit;
    if (this.#isReading || this.#isEnded || isFull) return;
    this.#isReading = true;
    void this.#readOne().catch((error: unknown) => this.fail(error));
  }

  async #readOne(): Promise<void> {
    const next = await this.#iterator.next();
    this.#isReading = false;
    if (next.done) this.#isEnded = true;
    else if (!this.#controller.signal.aborted) this.#start(next.value, this.#read++);
    this.#wake();
  }

  #start(item: Item, index: number): void {
    this.#work(item, index, this.#controller.signal).then(
      (result) => {
        this.#ready.set(index, { result });
        this.#wake();
      },
      (error: unknown) => this.fail(error),
    );
  }

  #take(): { result: Result } | undefined {
    const index = this.#options.ordered ? this.#taken : this.#ready.keys().next().value;
    const next = index === undefined ? undefined : this.#ready.get(index);
    if (index === undefined || next === undefined) return undefined;
    this.#ready.delete(index);
    this.#taken++;
    return next;
  }
}
