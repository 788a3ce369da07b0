import { calibrate } from './calibrate.js';
import type { CalibrateOptions, LabelledInput } from './calibrate.js';
import type { FittedCalibration } from './calibration/examples.js';
import type { BeamResult } from './beam.js';
import { beamSearch } from './beam.js';
import type { Capabilities } from './capabilities.js';
import {
  assertCanEmbed,
  assertContinues,
  assertCanFork,
  assertCanGenerate,
  assertHasHead,
  canEmbed,
  isEncoderDecoder,
} from './capabilities.js';
import { ChatTemplate } from './chat-template.js';
import type { JsonSchema, StandardSchema } from './constraint/constraint.js';
import type { Session } from './context.js';
import { buildContext } from './context.js';
import { embedTexts } from './embedding.js';
import { Engine } from './engine.js';
import { foldGeneration, Generation } from './generation.js';
import type { RankedDocument, TextClass } from './heads.js';
import { classifyTexts, namesOfClasses, rerankDocuments, rewardAnswers } from './heads.js';
import type { NativeAddon, NativeModelInfo, NativeStats } from './native.js';
import type {
  BeamOptions,
  ChatTemplateOptions,
  CloseOptions,
  ContextInput,
  DetokenizeOptions,
  EmbedOptions,
  GenerateOptions,
  Input,
  Message,
  NamespaceOptions,
  Pooling,
  RequestOptions,
  ResolvedInput,
  PromptLogprobsOptions,
  ResolvedLoadOptions,
  ResolvedRequestOptions,
  RollingOptions,
  TextInput,
  TokenizeOptions,
} from './options.js';
import {
  resolveAdapterPath,
  resolveBeamOptions,
  resolveChatTemplateOptions,
  resolveCloseOptions,
  resolveContextInput,
  resolveContinuations,
  resolveDetokenizeOptions,
  resolveEmbedOptions,
  resolveFilledText,
  resolveGenerateOptions,
  resolveMessages,
  resolveNamespacedOptions,
  resolvePromptLogprobsOptions,
  resolveQuestions,
  resolveRequestOptions,
  resolveRollingOptions,
  resolveText,
  resolveTextOrTokens,
  resolveTexts,
  resolveTokenizeOptions,
  resolveTokens,
} from './options.js';
import type { Prefix } from './prefix.js';
import { pinPrefix, restorePrefix } from './prefix.js';
import { checkFilledText } from './options/checks.js';
import type { Answers, Question, Questions } from './questions/question.js';
import { answerRequest } from './requests.js';
import type { Perplexity, PromptToken } from './rolling.js';
import { perplexity, promptLogprobs } from './rolling.js';
import type { Likelihood } from './scoring.js';
import { classify, logLikelihood } from './scoring.js';

/** Figures of the engine, since it was opened. */
export type Stats = NativeStats;

/** What is known of a loaded model. */
export interface ModelInfo {
  architecture: string;
  name: string;
  /** Architecture, size and number types of the weights, in llama.cpp's words. */
  description: string;
  parameters: number;
  sizeBytes: number;
  vocabularySize: number;
  embeddingSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  /** Tokens of the longest sequence here, and of those it was trained on. */
  contextSize: number;
  trainedContextSize: number;
  cacheTokens: number;
  maxSequences: number;
  maxStepTokens: number;
  threads: number;
  /** Number type of the KV cache. */
  cacheType: string;
  /** 'cpu' or 'gpu'. */
  device: string;
  /** Layers on GPUs, the output counted as one. */
  gpuLayers: number;
  kernels: string;
  /** Token ids; null = the model has none. `end`: all that end a text. */
  specialTokens: { bos: number | null; eos: number | null; end: number[] };
  /** Low-rank adapters that a request may have; 0 = they can't be used with it. */
  maxAdapters: number;
  /** Layers whose incoming hidden states `probes` can read. */
  hiddenLayers: number[];
  /** What texts become, by `embed()` or by the model's head; null = nothing. */
  encoding: EncodingInfo | null;
  capabilities: Capabilities;
}

export interface EncodingInfo {
  /** Tokens of the longest text, special ones included. */
  maxTextTokens: number;
  /** Numbers of an embedding. */
  vectorSize: number;
  /** What the model was trained with; the default of `embed()`. */
  pooling: Pooling;
  /** Names of the head's classes, in the order of its outputs; empty without a head. */
  classes: string[];
}

/** @internal The model on a given addon: `loadModel()` on the real one, tests on a fake. */
export async function openModel(addon: NativeAddon, paths: string[], options: ResolvedLoadOptions): Promise<Model> {
  const { log, onProgress, signal } = options;
  const onLoad = onProgress && ((loaded: number) => onProgress({ phase: 'load', loaded, total: 1 }));
  signal?.throwIfAborted();
  const engine = await Engine.open(addon, { ...options.native, paths }, { log, onLoad });
  if (signal?.aborted) {
    await engine.close(false);
    throw signal.reason;
  }
  return new Model(engine, options.chatTemplate);
}

/**
 * A loaded model. Close it when it is no longer needed.
 *
 * @example
 * const model = await loadModel('smollm2-135m');
 * try {
 *   console.log(await model.generate({ prompt: 'The capital of France is', maxTokens: 8 }).text());
 * } finally {
 *   await model.close();
 * }
 */
export class Model implements AsyncDisposable {
  readonly info: ModelInfo;
  readonly #engine: Engine;
  readonly #session: Session;

  /** @internal */
  constructor(engine: Engine, chatTemplate?: string) {
    const { info } = engine;
    this.#engine = engine;
    this.#session = {
      engine,
      template: new ChatTemplate(chatTemplate ?? info.chatTemplate, info.bosText, info.eosText),
    };
    this.info = describeModel(info, this.#session.template.exists);
  }

  /**
   * One answer, running from now on. Throws OptionError at once; everything else where it is read.
   *
   * @example
   * const messages = [{ role: 'user', content: 'Why is the sky blue?' }];
   * for await (const event of model.generate({ messages, maxTokens: 64 }))
   *   if (event.type === 'token') process.stdout.write(event.text);
   */
  generate<Output>(options: GenerateOptions & { schema: StandardSchema<Output> }): Generation<Output>;
  generate(options: GenerateOptions & { schema: JsonSchema }): Generation<unknown>;
  generate<const Choice extends string>(options: GenerateOptions & { choices: readonly Choice[] }): Generation<Choice>;
  generate(options: GenerateOptions): Generation;
  generate(options: GenerateOptions): Generation<unknown> {
    const { input, sampling, constraint, signal } = resolveGenerateOptions(options, this.info.vocabularySize, false);
    const prepare = async () => {
      assertCanGenerate(this.#engine.info);
      const context = await buildContext(this.#session, input, undefined, true);
      const request = answerRequest(this.#session, context, undefined, sampling, 1);
      return { request, fold: foldGeneration(request), explain: constraint?.explain };
    };
    return new Generation(this.#engine, prepare, signal, constraint);
  }

  /**
   * The likeliest texts that a beam search finds, the best first. Nothing is drawn at random, and nothing is known before
   * the end.
   *
   * @example
   * const { text, hypotheses } = await model.beam({ prompt: 'The sea is', beams: 10, minTokens: 20, noRepeatNgram: 3 });
   */
  async beam(options: BeamOptions): Promise<BeamResult> {
    const resolved = resolveBeamOptions(options, this.info.vocabularySize, false);
    this.#engine.assertOpen();
    assertCanGenerate(this.#engine.info);
    assertCanFork(this.#engine.info);
    const context = () => buildContext(this.#session, resolved.input, undefined, true);
    return beamSearch(this.#session, context, undefined, resolved);
  }

  /**
   * Evaluates the input once and keeps it in the cache until the prefix is closed.
   *
   * @example
   * const prefix = await model.prefill({ messages: [{ role: 'system', content: 'You are brief.' }] });
   */
  async prefill(input: ContextInput): Promise<Prefix> {
    const resolved = this.#resolveInput(input);
    assertCanGenerate(this.#engine.info);
    assertContinues(this.#engine.info, 'keep a prefix');
    assertCanFork(this.#engine.info);
    return pinPrefix(this.#session, resolved.input, undefined, resolved.how);
  }

  /**
   * Pins what `prefix.save()` wrote, without evaluating it. `adapters`: those it was made with. Rejects with
   * PrefixFileError for a file that is damaged or belongs to another model, adapters, cache type, kernels or version,
   * and with the file system's error.
   *
   * @example
   * const prefix = await model.loadPrefix('system-prompt.prefix');
   */
  async loadPrefix(file: string, options?: RequestOptions & NamespaceOptions): Promise<Prefix> {
    const path = checkFilledText('file', file);
    const how = resolveNamespacedOptions(options);
    this.#engine.assertOpen();
    assertCanFork(this.#engine.info);
    return restorePrefix(this.#session, path, how);
  }

  /**
   * Asks all questions behind the input, in one request; the answers have the questions' names. The same as on a
   * prefix, without one.
   *
   * @example
   * const question = { type: 'score', instructions: 'How cheerful is it?', levels: ['sad', 'neutral', 'happy'] } as const;
   * const { cheer } = await model.classify({ prompt: 'What a morning!' }, { cheer: question });
   */
  async classify<const Qs extends Questions>(input: ContextInput, questions: Qs): Promise<Answers<Qs>> {
    const resolved = this.#resolveInput(input);
    const asked = resolveQuestions(questions, this.info.vocabularySize);
    return (await classify(this.#session, resolved.input, undefined, asked, resolved.how)) as Answers<Qs>;
  }

  /**
   * log P(continuation | input), exactly, one per continuation and in their order.
   *
   * @example
   * const [paris] = await model.logLikelihood({ prompt: 'The capital of France is' }, [' Paris']);
   * console.log(paris?.logprob, paris?.isGreedy);
   */
  async logLikelihood(input: ContextInput, continuations: readonly string[]): Promise<Likelihood[]> {
    const resolved = this.#resolveInput(input);
    const texts = resolveContinuations(continuations);
    return logLikelihood(this.#session, resolved.input, undefined, texts, resolved.how);
  }

  /**
   * How likely the model finds the text itself, of any length: it is scored in windows behind the beginning-of-text token
   * (behind the end-of-text token where there is none). Special tokens that are spelled out in it are text. Of token ids
   * the first is only context.
   *
   * @example
   * const { perplexity, bitsPerByte } = await model.perplexity(article, { window: 1024, stride: 512 });
   */
  async perplexity(text: string | readonly number[] | Int32Array, options: RollingOptions = {}): Promise<Perplexity> {
    const { vocabularySize, contextSize } = this.info;
    const checked = resolveTextOrTokens('text', text, vocabularySize);
    const resolved = resolveRollingOptions(options, contextSize);
    this.#engine.assertOpen();
    assertContinues(this.#engine.info, 'score a text itself');
    return perplexity(this.#session, checked, resolved);
  }

  /**
   * Every token of the input with the log-probability that it had behind the ones before it, and with `topLogprobs` what
   * else was likely there. The first token has none. Inputs longer than a window are scored as by `perplexity()`.
   *
   * @example
   * for (const { text, logprob } of await model.promptLogprobs({ prompt: 'To be or not to be' })) console.log(text, logprob);
   */
  async promptLogprobs(input: ContextInput, options: PromptLogprobsOptions = {}): Promise<PromptToken[]> {
    const { input: resolvedInput, how } = this.#resolveInput(input);
    assertContinues(this.#engine.info, 'score a prompt itself');
    const { topLogprobs, ...rolling } = resolvePromptLogprobsOptions(options, this.info.contextSize);
    const context = await buildContext(this.#session, resolvedInput, undefined, false);
    return promptLogprobs(
      this.#session,
      context,
      { ...rolling, ...how, signal: rolling.signal ?? how.signal },
      topLogprobs,
    );
  }

  /**
   * Asks the question on labelled examples and fits a calibration to its answers: an option of the question from then on.
   * `examples`: `{ prompt | messages, label }`, or the path of a JSON Lines file of them; `label`: true or false, the key
   * of a choice, the index of a level. Rejects with OptionError for an example that can't be one.
   *
   * @example
   * const question = { type: 'boolean', instructions: 'Is the review positive?' } as const;
   * const { calibration } = await model.calibrate(question, 'reviews.jsonl', { method: 'platt' });
   * const answers = await model.classify({ prompt: review }, { positive: { ...question, calibration } });
   */
  async calibrate(
    question: Question,
    examples: string | Iterable<LabelledInput> | AsyncIterable<LabelledInput>,
    options: CalibrateOptions = {},
  ): Promise<FittedCalibration> {
    this.#engine.assertOpen();
    return calibrate(this.#session, question, examples, options);
  }

  /**
   * Each text as a vector, in their order, computed as one request: Float32Array of `info.encoding.vectorSize`. Of an
   * embedding model or of one that generates; texts of more than `info.encoding.maxTextTokens` tokens reject with
   * `ERR_CONTEXT_OVERFLOW`, models with a head with CapabilityError.
   *
   * @example
   * const [cat, dog] = await model.embed(['A cat sleeps.', 'A dog barks.']);
   * const similarity = cat.reduce((sum, value, index) => sum + value * dog[index], 0); // Of normalised vectors: the cosine.
   */
  async embed(texts: readonly TextInput[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const checked = resolveTexts('texts', texts, this.info.vocabularySize);
    const resolved = resolveEmbedOptions(options, this.#engine.info.pooling);
    this.#engine.assertOpen();
    assertCanEmbed(this.#engine.info);
    return embedTexts(this.#session, checked, resolved);
  }

  /**
   * What the model's classification head says of each text, in their order. Rejects with CapabilityError without a head.
   *
   * @example
   * const [{ label, probabilities }] = await model.classifyTexts(['What a lovely day!']);
   */
  async classifyTexts(texts: readonly TextInput[], options: RequestOptions = {}): Promise<TextClass[]> {
    const checked = resolveTexts('texts', texts, this.info.vocabularySize);
    const how = this.#resolveHeadOptions(options);
    return classifyTexts(this.#session, checked, how);
  }

  /**
   * The reward of each answer behind the input, in their order: the output of the head's first class, larger is better.
   * With `messages` an answer is the assistant's next message; behind a `prompt` it goes on as it is.
   *
   * @example
   * const [kind, rude] = await model.reward({ messages }, ['Of course, here it is.', 'Find it yourself.']);
   */
  async reward(input: Input & RequestOptions, answers: readonly string[]): Promise<number[]> {
    const { input: resolved, how } = this.#resolveInput(input);
    const texts = resolveContinuations(answers, 'answers');
    assertHasHead(this.#engine.info);
    return rewardAnswers(this.#session, resolved, texts, how);
  }

  /**
   * The documents by how well they answer the query, the best first. Rejects with CapabilityError without a head, and
   * where the model tells query and document apart by segments, which llama.cpp can't.
   *
   * @example
   * const [best] = await model.rerank('Who wrote Faust?', documents);
   * console.log(documents[best.index], best.score);
   */
  async rerank(query: string, documents: readonly string[], options: RequestOptions = {}): Promise<RankedDocument[]> {
    const asked = resolveFilledText('query', query);
    const checked = resolveContinuations(documents, 'documents');
    const how = this.#resolveHeadOptions(options);
    return rerankDocuments(this.#session, asked, checked, how);
  }

  /**
   * Reads an adapter's file now, so that the first request which names it doesn't wait for it. Rejects with AdapterError,
   * and with CapabilityError where the model has no use for adapters.
   *
   * @example
   * await model.loadAdapter('polite.gguf');
   */
  async loadAdapter(path: string): Promise<void> {
    const absolute = resolveAdapterPath('path', path);
    this.#engine.assertOpen();
    await this.#engine.loadAdapters([absolute]);
  }

  /**
   * Lets go of an adapter: the next request that names it reads the file again. One that isn't loaded is fine. Rejects
   * with `ERR_ADAPTER_IN_USE` while an open request or prefix of any thread has it.
   */
  async unloadAdapter(path: string): Promise<void> {
    await this.#engine.unloadAdapter(resolveAdapterPath('path', path));
  }

  /** Token ids of the text, as a prompt has them. Lone surrogates become U+FFFD. */
  tokenize(text: string, options?: TokenizeOptions): Int32Array {
    const { addSpecial, parseSpecial } = resolveTokenizeOptions(options);
    const checked = resolveText('text', text);
    this.#engine.assertOpen();
    return this.#engine.tokenize(checked, addSpecial, parseSpecial);
  }

  /** The text of token ids; bytes that are no UTF-8 become U+FFFD. */
  detokenize(tokens: readonly number[] | Int32Array, options?: DetokenizeOptions): string {
    const { special } = resolveDetokenizeOptions(options);
    const checked = resolveTokens('tokens', tokens, this.info.vocabularySize);
    this.#engine.assertOpen();
    return this.#engine.detokenize(checked, special);
  }

  /** The conversation as text, in the model's own template. Rejects with a TemplateError. */
  async applyChatTemplate(messages: readonly Message[], options?: ChatTemplateOptions): Promise<string> {
    const { addGenerationPrompt } = resolveChatTemplateOptions(options);
    const checked = resolveMessages(messages);
    this.#engine.assertOpen();
    return this.#session.template.render(checked, addGenerationPrompt);
  }

  stats(): Stats {
    return this.#engine.stats();
  }

  /** Twice is fine; a second call without `drain` ends a drain that takes too long. */
  async close(options?: CloseOptions): Promise<void> {
    await this.#engine.close(resolveCloseOptions(options).drain);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #resolveHeadOptions(options: RequestOptions): ResolvedRequestOptions {
    const how = resolveRequestOptions(options);
    this.#engine.assertOpen();
    assertHasHead(this.#engine.info);
    return how;
  }

  #resolveInput(input: ContextInput): { input: ResolvedInput; how: ResolvedRequestOptions } {
    const resolved = resolveContextInput(input, this.info.vocabularySize, false);
    this.#engine.assertOpen();
    return resolved;
  }
}

function describeModel(native: NativeModelInfo, chat: boolean): ModelInfo {
  const {
    bosToken,
    eosToken,
    endTokens,
    chatTemplate: _,
    bosText: _bos,
    eosText: _eos,
    addsBos: _adds,
    ...rest
  } = native;
  const { canFork, canGenerate, batchInvariant, ...others } = rest;
  const { maxTextTokens, vectorSize, pooling, classes, classNames: _names, ...more } = others;
  const {
    decoderStart: _start,
    pairSeparator: _pair,
    rerankTemplate: _rerank,
    hasSegments: _segments,
    ...facts
  } = more;
  const orNull = (token: number) => (token < 0 ? null : token);
  return {
    ...facts,
    specialTokens: { bos: orNull(bosToken), eos: orNull(eosToken), end: [...endTokens] },
    encoding: maxTextTokens > 0 ? { maxTextTokens, vectorSize, pooling, classes: namesOfClasses(native) } : null,
    capabilities: {
      fork: canFork,
      generate: canGenerate,
      encoderDecoder: isEncoderDecoder(native),
      embed: canEmbed(native),
      head: classes > 0,
      batchInvariant,
      chat,
    },
  };
}
