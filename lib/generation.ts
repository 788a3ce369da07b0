import type { Completion, Timings, TokenDetails, Usage } from './candidates.js';
import { AnswerInProgress } from './candidates.js';
import type { Constraint } from './constraint/constraint.js';
import type { Engine } from './engine.js';
import type { NativeRequest } from './native.js';
import type { Fold, Prepared } from './request-stream.js';
import { RequestStream } from './request-stream.js';

export interface TokenEvent extends TokenDetails {
  type: 'token';
}

export interface GenerationResult extends Completion {
  /** What the answer was drawn with. */
  seed: number;
  usage: Usage;
  timings: Timings;
}

export interface FinishEvent extends GenerationResult {
  type: 'finish';
}

/** The texts of all 'token' events together are the text of the 'finish' event, which comes last. */
export type GenerationEvent = TokenEvent | FinishEvent;

/**
 * A running answer. Iterate over its events, once, or wait for `result()` or `text()`.
 *
 * @example
 * for await (const event of model.generate({ prompt: 'The sky is' }))
 *   if (event.type === 'token') process.stdout.write(event.text);
 */
export class Generation<Value = string> extends RequestStream<GenerationEvent, GenerationResult> {
  readonly #read: (text: string) => Promise<unknown>;

  /** @internal */
  constructor(
    engine: Engine,
    prepare: () => Promise<Prepared<GenerationEvent, GenerationResult>>,
    signal?: AbortSignal,
    constraint?: Constraint,
  ) {
    super(engine, prepare, signal);
    this.#read = constraint?.read ?? (async (text) => text);
  }

  /** Resolves to the whole text. */
  async text(): Promise<string> {
    return (await this.result()).text;
  }

  /**
   * Resolves to what the answer stands for: with `schema` the parsed value, validated and typed; with `choices` one of
   * them; otherwise the text. Rejects with OutputError `ERR_OUTPUT_INVALID`, which has the text: `maxTokens` cut the answer
   * off, or the schema wants more than a grammar can say.
   */
  async value(): Promise<Value> {
    return (await this.#read(await this.text())) as Value;
  }
}

/** @internal */
export function foldGeneration(request: NativeRequest): Fold<GenerationEvent, GenerationResult> {
  const answer = new AnswerInProgress(request.logprobs);
  let completion: Completion;
  return (event, emit) => {
    if (event.type === 'token') emit({ type: 'token', ...answer.addToken(event) });
    if (event.type === 'candidate') completion = answer.finish(event) as Completion; // Nothing checks it.
    if (event.type !== 'finish') return undefined;
    const result = { ...completion, seed: request.seed, usage: event.usage, timings: event.timings };
    emit({ type: 'finish', ...result });
    return result;
  };
}
