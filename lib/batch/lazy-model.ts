import type { Model } from '../index.js';
import { loadModel } from '../index.js';
import type { BatchProgress, LoadOptions } from '../options.js';
import type { JobProgress, JobReport } from './job.js';

/** Loaded when a row needs it: a finished job is done at once. */
export class LazyModel {
  readonly #source: string;
  readonly #load: LoadOptions;
  readonly #signal: AbortSignal | undefined;
  #model: Model | undefined;

  constructor(source: string, load: LoadOptions, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#load = load;
    this.#signal = signal;
  }

  async open(): Promise<Model> {
    const signal = this.#signal;
    return (this.#model = await loadModel(this.#source, { ...this.#load, ...(signal && { signal }) }));
  }

  describe<Progress extends JobProgress | JobReport>(
    progress: Progress,
  ): Progress & Pick<BatchProgress, 'tokens' | 'cacheHits'> {
    if (!this.#model) return { ...progress, tokens: 0, cacheHits: 0 };
    const { evaluatedTokens, prefixHitTokens, prefixMissTokens } = this.#model.stats();
    const prompt = prefixHitTokens + prefixMissTokens;
    return { ...progress, tokens: evaluatedTokens, cacheHits: prompt === 0 ? 0 : prefixHitTokens / prompt };
  }

  async close(): Promise<void> {
    await this.#model?.close();
  }
}
