import { createHash } from 'node:crypto';
import { onAbort } from '../abort.js';
import type {
  Answers,
  CandidateCompletion,
  ContextInput,
  GenerationOptions,
  GenerationResult,
  Input,
  Likelihood,
  Model,
  PrefixGenerateOptions,
  Questions,
  SampleOptions,
  SampleResult,
  ScoreEvent,
  Usage,
  WinnowOptions,
  WinnowResult,
} from '../index.js';
import { Prefix } from '../index.js';
import type { Asked, Dropped, RecipeReport, Scored } from './run.js';

/** How a recipe's answers are drawn: seed and signal are those of the run. */
export type Drawing = Omit<GenerationOptions, 'seed' | 'signal' | 'schema' | 'grammar' | 'choices' | 'regex'>;

type Constrained = Pick<GenerationOptions, 'choices' | 'regex' | 'schema' | 'grammar'>;
type BaseEvent =
  | { type: 'progress'; stage: string; done: number; total: number | null }
  | ({ type: 'score' } & Scored)
  | ({ type: 'drop' } & Dropped);

/** What a recipe draws, asks and scores through: everything is stopped with the run, and reported. */
export class RecipeWork<Partial extends { type: string }> {
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Shows a partial result. */
  readonly emit: (event: Partial | BaseEvent) => void;
  readonly #asked: Asked[] = [];
  readonly #scored: Scored[] = [];
  readonly #dropped: Dropped[] = [];
  readonly #prefixes: Prefix[] = [];

  constructor(seed: number, signal: AbortSignal, emit: (event: Partial | BaseEvent) => void) {
    this.seed = seed;
    this.signal = signal;
    this.emit = emit;
  }

  /** Of one draw: the same for the same path, whatever was drawn before it. 48 bits. */
  seedFor(...path: readonly (string | number)[]): number {
    return deriveSeed(this.seed, ...path);
  }

  /** `total`: null = not known. */
  progress(stage: string, done: number, total: number | null): void {
    this.emit({ type: 'progress', stage, done, total });
  }

  score(item: string, scores: Readonly<Record<string, number>>): void {
    this.#scored.push({ item, scores });
    this.emit({ type: 'score', item, scores });
  }

  drop(item: string, reason: string): void {
    this.#dropped.push({ item, reason });
    this.emit({ type: 'drop', item, reason });
  }

  /** Pinned until the run ends. */
  async prefill(source: Model | Prefix, stage: string, input: Input): Promise<Prefix> {
    const { signal } = this;
    const prefix = await (source instanceof Prefix
      ? source.fork({ ...input, signal })
      : source.prefill({ ...input, signal }));
    this.#prefixes.push(prefix);
    this.record({ stage, kind: 'prefill', count: 1, usage: prefix.usage });
    return prefix;
  }

  /** `seed`: the path of the draw behind the stage's name, where a stage draws more than once. */
  async generate(
    source: Model | Prefix,
    stage: string,
    options: Drawing & Constrained & (Input | { prompt?: undefined; messages?: undefined }),
    seed: readonly (string | number)[] = [],
  ): Promise<GenerationResult> {
    const drawn = { ...options, seed: this.seedFor(stage, ...seed), signal: this.signal } as PrefixGenerateOptions &
      Input;
    const result = await source.generate(drawn).result();
    this.record({ stage, kind: 'generate', count: 1, usage: result.usage });
    return result;
  }

  /** `onFinish` gets each answer when it ends. */
  async sample(
    prefix: Prefix,
    stage: string,
    options: Omit<SampleOptions, 'seed' | 'signal'>,
    onFinish: (candidate: number, completion: CandidateCompletion) => void = () => {},
  ): Promise<SampleResult> {
    const sampled = { ...options, seed: this.seedFor(stage), signal: this.signal } as SampleOptions;
    const sampling = prefix.sample(sampled);
    for await (const event of sampling) if (event.type === 'candidate-finish') onFinish(event.candidate, event);
    const result = await sampling.result();
    this.record({ stage, kind: 'sample', count: options.count, usage: result.usage });
    return result;
  }

  /**
   * Draws until `onFinish`, which gets each answer when it ends, says that it is enough: the rest is stopped. `path`: the
   * stage's name, and what tells the draw from others of the stage.
   */
  async sampleUntil(
    prefix: Prefix,
    path: readonly [stage: string, ...rest: (string | number)[]],
    options: Omit<SampleOptions, 'seed' | 'signal'>,
    onFinish: (candidate: number, completion: CandidateCompletion) => boolean,
  ): Promise<void> {
    const sampled = { ...options, seed: this.seedFor(...path), signal: this.signal } as SampleOptions;
    let usage: Usage = { ...noUsage, promptTokens: prefix.tokens };
    let count = 0;
    for await (const event of prefix.sample(sampled)) {
      if (event.type === 'candidate-token') usage.generatedTokens++;
      if (event.type === 'finish') usage = event.usage;
      if (event.type !== 'candidate-finish') continue;
      count++;
      if (onFinish(event.candidate, event) && count < options.count) break; // Leaving the loop stops the request.
    }
    this.record({ stage: path[0], kind: 'sample', count, usage });
  }

  /** All candidates with all of their answers; which of them is best is the recipe's matter. */
  async turn<const Qs extends Questions>(
    prefix: Prefix,
    stage: string,
    options: Omit<WinnowOptions<Qs>, 'seed' | 'signal'>,
    onScored: (text: string, event: ScoreEvent<Qs>) => void = () => {},
  ): Promise<WinnowResult<Qs>> {
    const drawn = { ...options, seed: this.seedFor(stage), signal: this.signal } as WinnowOptions<Qs>;
    const turn = prefix.winnow(drawn);
    const texts = new Map<number, string>();
    for await (const event of turn) {
      if (event.type === 'candidate-finish') texts.set(event.candidate, event.text);
      if (event.type === 'score') onScored(texts.get(event.candidate)!, event);
    }
    const result = await turn.result();
    this.record({ stage, kind: 'turn', count: result.candidates.length, usage: result.usage });
    return result;
  }

  async classify<const Qs extends Questions>(
    source: Model | Prefix,
    stage: string,
    input: ContextInput | undefined,
    questions: Qs,
  ): Promise<Answers<Qs>> {
    const { signal } = this;
    const asked =
      source instanceof Prefix
        ? this.#classifyBehind(source, input, questions)
        : source.classify({ ...input!, signal }, questions);
    const answers = await asked;
    this.record({ stage, kind: 'classify', count: Object.keys(questions).length });
    return answers;
  }

  async likelihoods(source: Prefix, stage: string, continuations: readonly string[]): Promise<Likelihood[]> {
    const results = await source.logLikelihood(continuations, { signal: this.signal });
    this.record({ stage, kind: 'likelihood', count: continuations.length });
    return results;
  }

  /** A function of the user's: a tool, a reward, a checker. An abort doesn't wait for it. */
  async call<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    this.record({ stage, kind: 'function', count: 1 });
    return untilAborted(work, this.signal);
  }

  /** For what was asked past these methods. */
  record(asked: Asked): void {
    this.#asked.push(asked);
  }

  report(): RecipeReport {
    const { seed } = this;
    const usage = sumUsage(this.#asked.flatMap((asked) => asked.usage ?? []));
    return { seed, asked: [...this.#asked], scored: [...this.#scored], dropped: [...this.#dropped], usage };
  }

  /** Lets the pinned prefixes go. */
  async close(): Promise<void> {
    await Promise.all(this.#prefixes.splice(0).map((prefix) => prefix.close()));
  }

  async #classifyBehind<const Qs extends Questions>(
    prefix: Prefix,
    input: ContextInput | undefined,
    questions: Qs,
  ): Promise<Answers<Qs>> {
    const { signal } = this;
    if (!input) return prefix.classify(questions, { signal });
    const longer = await prefix.fork({ ...input, signal });
    try {
      return await longer.classify(questions, { signal });
    } finally {
      await longer.close();
    }
  }
}

function untilAborted<T>(work: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const removeListener = onAbort(signal, () => reject(signal.reason as Error));
    void (async () => work())().then(resolve, reject).finally(removeListener);
  });
}

/** Of one draw of a run: the same for the same seed and path, whatever happened before it. 48 bits. */
export function deriveSeed(seed: number, ...path: readonly (string | number)[]): number {
  return createHash('sha256')
    .update([seed, ...path].join('/'))
    .digest()
    .readUIntBE(0, 6);
}

const noUsage: Usage = {
  promptTokens: 0,
  cachedTokens: 0,
  evaluatedPromptTokens: 0,
  questionTokens: 0,
  generatedTokens: 0,
  recomputedTokens: 0,
};

function sumUsage(usages: readonly Usage[]): Usage {
  const sum = (name: keyof Usage) => usages.reduce((total, usage) => total + usage[name], 0);
  return Object.fromEntries(
    (Object.keys(noUsage) as (keyof Usage)[]).map((name) => [name, sum(name)]),
  ) as unknown as Usage;
}
