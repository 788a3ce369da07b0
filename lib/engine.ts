import { channel } from 'node:diagnostics_channel';
import { AdapterFiles } from './adapters.js';
import { assertCanAdapt } from './capabilities.js';
import { ClosedError, fromNative } from './errors.js';
import type {
  LogLevel,
  NativeAddon,
  NativeEngine,
  NativeEngineOptions,
  NativeEvent,
  NativeModelInfo,
  NativeRequest,
  NativeSavedPrefix,
  NativeStats,
  NativeTimings,
  NativeUsage,
} from './native.js';

/** The events that belong to a request. */
export type RequestEvent = Extract<NativeEvent, { request: number }>;

// For tracing: nothing is made unless somebody listens.
const started = channel('winnow:request:start');
const ended = channel('winnow:request:finish');

/** What `winnow:request:start` publishes. */
export interface RequestStartMessage {
  /** Unique within an engine. */
  request: number;
  /** Tokens behind the prefix, if there is one. */
  promptTokens: number;
  candidates: number;
  questions: number;
  maxTokens: number;
  priority: number;
  namespace: string;
}

/** What `winnow:request:finish` publishes, once per request: usage and timings, or an error, or that it was cancelled. */
export interface RequestFinishMessage {
  request: number;
  usage?: NativeUsage;
  timings?: NativeTimings;
  error?: unknown;
  cancelled?: true;
}

/** Gets the events of one request, in order; `finish` or `fail` comes last, once. */
export interface RequestSink {
  /** May throw: then the request is cancelled and fails with that error. */
  receive(event: Exclude<RequestEvent, { type: 'error' }>): void;
  fail(error: unknown): void;
}

export interface EngineHooks {
  log?: (level: LogLevel, line: string) => void;
  /** 0 … 1 while the model loads. */
  onLoad?: (share: number) => void;
}

/** The native engine and who waits for what of it. */
export class Engine {
  /** Of the model. */
  readonly paths: readonly string[];
  readonly #hooks: EngineHooks;
  readonly #adapters = new AdapterFiles();
  readonly #sinks = new Map<number, RequestSink>();
  readonly #preparing = new Set<{ fail(error: unknown): void }>();
  #native!: NativeEngine;
  #info: NativeModelInfo | undefined;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  private constructor(paths: readonly string[], hooks: EngineHooks) {
    this.paths = paths;
    this.#hooks = hooks;
  }

  /** Rejects with the native error, mapped. */
  static async open(addon: NativeAddon, options: NativeEngineOptions, hooks: EngineHooks = {}): Promise<Engine> {
    const engine = new Engine(options.paths, hooks);
    try {
      engine.#native = await addon.openEngine(options, (events) => engine.#receive(events));
    } catch (error) {
      throw fromNative(error);
    }
    return engine;
  }

  get info(): NativeModelInfo {
    return (this.#info ??= this.#native.info); // It never changes, and costs as much as a small request.
  }

  /** Requests that have been accepted and have not ended. */
  get openRequests(): number {
    return this.#sinks.size + this.#preparing.size;
  }

  /** Throws if nothing new may be asked. */
  assertOpen(): void {
    if (this.#isClosing) throw new ClosedError('model');
  }

  /** Accepts a request whose tokens aren't known yet: a draining close waits for it. Submit it or leave it. */
  enter(pending: { fail(error: unknown): void }): void {
    this.assertOpen();
    this.#preparing.add(pending);
  }

  leave(pending: { fail(error: unknown): void }): void {
    this.#preparing.delete(pending);
    this.#checkIdle();
  }

  /** Before the request that names them is submitted. Rejects with AdapterError and CapabilityError. */
  async loadAdapters(paths: readonly string[]): Promise<void> {
    assertCanAdapt(this.info, paths.length);
    await mapRejections(this.#adapters.load(this.#native, paths));
  }

  async unloadAdapter(path: string): Promise<void> {
    this.assertOpen();
    await mapRejections(this.#adapters.unload(this.#native, path));
  }

  /** The one call down. Returns the request's id. */
  submit(request: NativeRequest, sink: RequestSink): number {
    const id = mapErrors(() => this.#native.submit(request));
    this.#sinks.set(id, sink);
    if (started.hasSubscribers) started.publish(describe(id, request));
    return id;
  }

  /** Nobody hears of the request again. Ids that have ended are fine. */
  cancel(id: number): void {
    if (!this.#sinks.delete(id)) return;
    this.#native.cancel(id);
    publishEnd({ request: id, cancelled: true });
    this.#checkIdle();
  }

  async savePrefix(id: number): Promise<NativeSavedPrefix> {
    this.assertOpen();
    return mapRejections(this.#native.savePrefix(id));
  }

  releasePrefix(id: number): void {
    if (!this.#closed) this.#native.releasePrefix(id);
  }

  tokenize(text: string, addSpecial: boolean, parseSpecial: boolean): Int32Array {
    return mapErrors(() => this.#native.tokenize(text, addSpecial, parseSpecial));
  }

  detokenize(tokens: Int32Array, special: boolean): string {
    return mapErrors(() => this.#native.detokenize(tokens, special));
  }

  stats(): NativeStats {
    if (this.#closed) throw new ClosedError('model');
    return this.#native.stats();
  }

  /** drain: open requests end first. Otherwise, and in a later call without drain, they fail at once. */
  async close(drain: boolean): Promise<void> {
    this.#isClosing = true;
    if (drain) await this.#idle();
    this.#failAll(new ClosedError('model'));
    this.#closed ??= this.#native.close(drain);
    await this.#closed;
  }

  // The one call up: a batch of all requests' events per step.
  #receive(events: NativeEvent[]): void {
    for (const event of events) this.#dispatch(event);
  }

  #dispatch(event: NativeEvent): void {
    if ('request' in event) this.#deliver(event);
    else if (event.type === 'log') report(() => this.#hooks.log?.(event.level, event.line));
    else report(() => this.#hooks.onLoad?.(event.loaded));
  }

  #deliver(event: RequestEvent): void {
    const sink = this.#sinks.get(event.request);
    if (!sink) return;
    if (event.type === 'error' || event.type === 'finish') this.#sinks.delete(event.request);
    if (event.type === 'finish') publishEnd({ request: event.request, usage: event.usage, timings: event.timings });
    if (event.type === 'error') this.#fail(event.request, sink, fromNative(event));
    else this.#guard(event.request, sink, () => sink.receive(event));
    this.#checkIdle();
  }

  // A reader's own code may throw (a ranking, say): its request fails, the others go on.
  #guard(id: number, sink: RequestSink, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.cancel(id);
      sink.fail(error);
    }
  }

  #fail(request: number, sink: RequestSink, error: unknown): void {
    publishEnd({ request, error });
    sink.fail(error);
  }

  #failAll(error: unknown): void {
    for (const request of this.#sinks.keys()) publishEnd({ request, error });
    const open = [...this.#sinks.values(), ...this.#preparing];
    this.#sinks.clear();
    this.#preparing.clear();
    for (const request of open) request.fail(error);
    this.#checkIdle();
  }

  async #idle(): Promise<void> {
    while (this.openRequests > 0) await new Promise<void>((resolve) => this.#wakeWhenIdle(resolve));
  }

  #wakeWhenIdle(resolve: () => void): void {
    const others = this.#onIdle;
    this.#onIdle = () => {
      others?.();
      resolve();
    };
  }

  #checkIdle(): void {
    if (this.openRequests > 0 || !this.#onIdle) return;
    const wake = this.#onIdle;
    this.#onIdle = undefined;
    wake();
  }
}

function describe(request: number, native: NativeRequest): RequestStartMessage {
  const { prompt, candidates, questions, maxTokens, priority, namespace } = native;
  return {
    request,
    promptTokens: prompt.length,
    candidates,
    questions: questions.length,
    maxTokens,
    priority,
    namespace,
  };
}

function publishEnd(message: RequestFinishMessage): void {
  if (ended.hasSubscribers) ended.publish(message);
}

function mapErrors<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

async function mapRejections<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fromNative(error);
  }
}

// A hook that throws is its owner's uncaught exception, not the end of the batch.
function report(hook: () => void): void {
  try {
    hook();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
