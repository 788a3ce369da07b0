import { onAbort } from './abort.js';
import type { Engine, RequestEvent, RequestSink } from './engine.js';
import { CancelledError } from './errors.js';
import { EventQueue } from './event-queue.js';
import type { NativeRequest } from './native.js';

/** Turns the engine's events of one request into what its reader sees. Returns the result with the last of them. */
export type Fold<Event, Result> = (
  event: Exclude<RequestEvent, { type: 'error' }>,
  emit: (event: Event) => void,
) => Result | undefined;

export interface Prepared<Event, Result> {
  request: NativeRequest;
  fold: Fold<Event, Result>;
  /** Of what native code refused: what it means to the user. @default as it is */
  explain?: (error: unknown) => unknown;
}

/**
 * One running request: events to iterate over, once, and a result to wait for; either without the other is fine. It
 * runs from its creation on. What nobody has read yet waits here, at most a few events per token of the answers.
 */
export class RequestStream<Event, Result> implements AsyncIterable<Event> {
  readonly #engine: Engine;
  readonly #queue = new EventQueue<Event>();
  readonly #result: Promise<Result>;
  #settle!: { resolve(result: Result): void; reject(error: unknown): void };
  #removeAbortListener: (() => void) | undefined;
  #id: number | undefined;
  #pins = false;
  #isSettled = false;

  /** @internal `prepare` finds the tokens; throws what reading and `result()` then throw. */
  constructor(engine: Engine, prepare: () => Promise<Prepared<Event, Result>>, signal?: AbortSignal) {
    this.#engine = engine;
    this.#result = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#result.catch(() => {}); // An abandoned request is nobody's unhandled rejection.
    if (signal?.aborted) {
      this.#fail(signal.reason);
    } else {
      if (signal) this.#removeAbortListener = onAbort(signal, () => this.#stop(signal.reason));
      void this.#start(prepare);
    }
  }

  /** Resolves when the request has finished; rejects with its error, or with the reason of its signal. */
  result(): Promise<Result> {
    return this.#result;
  }

  /** Stops the request. What has arrived can still be read; then reading and `result()` throw `ERR_CANCELLED`. */
  cancel(): void {
    if (!this.#isSettled) this.#stop(new CancelledError());
  }

  /** The events, once. Leaving the loop early (`break`) stops the request. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return this.#queue.iterateOnce('request', () => this.cancel());
  }

  async #start(prepare: () => Promise<Prepared<Event, Result>>): Promise<void> {
    const pending = { fail: (error: unknown) => this.#fail(error) };
    try {
      this.#engine.enter(pending);
      const prepared = await prepare();
      const { adapters } = prepared.request;
      if (adapters?.length) await this.#engine.loadAdapters(adapters.map(({ path }) => path));
      if (!this.#isSettled) this.#submit(prepared);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#engine.leave(pending);
    }
  }

  #submit({ request, fold, explain = (error) => error }: Prepared<Event, Result>): void {
    const sink: RequestSink = {
      receive: (event) => this.#receive(event, fold),
      fail: (error) => this.#fail(explain(error)),
    };
    this.#pins = request.pin;
    this.#id = this.#engine.submit(request, sink);
  }

  #receive(event: Exclude<RequestEvent, { type: 'error' }>, fold: Fold<Event, Result>): void {
    const result = fold(event, (emitted) => this.#queue.push(emitted));
    if (result === undefined) return;
    this.#end();
    this.#queue.end();
    this.#settle.resolve(result);
  }

  #stop(error: unknown): void {
    if (this.#isSettled) return;
    if (this.#id !== undefined) this.#engine.cancel(this.#id);
    // The prefix may have become ready while the cancellation was on its way.
    if (this.#id !== undefined && this.#pins) this.#engine.releasePrefix(this.#id);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#end();
    this.#queue.fail(error);
    this.#settle.reject(error);
  }

  #end(): void {
    this.#isSettled = true;
    this.#removeAbortListener?.();
  }
}
