import type { BeamResult } from './beam.js';
import { beamSearch } from './beam.js';
import type { Timings, Usage } from './candidates.js';
import type { JsonSchema, StandardSchema } from './constraint/constraint.js';
import type { Context, Session } from './context.js';
import { buildContext } from './context.js';
import { ClosedError, PrefixFileError } from './errors.js';
import { foldGeneration, Generation } from './generation.js';
import type { NativeAdapter } from './native.js';
import type {
  AppendedContext,
  PrefixBeamOptions,
  PrefixGenerateOptions,
  RequestOptions,
  ResolvedInput,
  ResolvedRequestOptions,
  SampleOptions,
  WinnowOptions,
} from './options.js';
import {
  resolveBeamOptions,
  resolveContextInput,
  resolveContinuations,
  resolveGenerateOptions,
  resolveQuestions,
  resolveRequestOptions,
  resolveSampleOptions,
  resolveTurnOptions,
} from './options.js';
import type { Answers, Questions } from './questions/question.js';
import type { LamdaAttributes } from './recipes/lamda.js';
import { foldTurn, WinnowTurn } from './recipes/turn.js';
import type { Fold } from './request-stream.js';
import { RequestStream } from './request-stream.js';
import type { Parent } from './requests.js';
import { checkFilledText } from './options/checks.js';
import { readPrefixFile, writePrefixFile } from './prefixes/file.js';
import type { Fingerprint } from './prefixes/fingerprint.js';
import { differenceOf, fingerprintOf } from './prefixes/fingerprint.js';
import { adaptersOf, answerRequest, pinRequest, restoreRequest } from './requests.js';
import { foldSampling, Sampling } from './sampling.js';
import type { Likelihood } from './scoring.js';
import { compileChecks } from './checks.js';
import { classify, compileBehind, logLikelihood } from './scoring.js';
import { assertCanGenerate } from './capabilities.js';

const nothing: ResolvedInput = { kind: 'none' };

interface Pinned {
  parent: Parent;
  usage: Usage;
  timings: Timings;
}

/** @internal Keeps the tokens of `input`, behind `base` if there is one, in the cache. */
export async function pinPrefix(
  session: Session,
  input: ResolvedInput,
  base: Parent | undefined,
  { signal, schedule }: ResolvedRequestOptions,
): Promise<Prefix> {
  const prepare = async () => {
    const context = await buildContext(session, input, base?.context, false);
    const request = pinRequest(session, context, base, schedule);
    return { request, fold: foldPinned(context, request.adapters) };
  };
  return new Prefix(session, await new RequestStream<never, Pinned>(session.engine, prepare, signal).result());
}

/** @internal Pins what `Prefix.save()` wrote. */
export async function restorePrefix(
  session: Session,
  path: string,
  { signal, schedule }: ResolvedRequestOptions,
): Promise<Prefix> {
  const prepare = async () => {
    const file = await readPrefixFile(path);
    const expected = await fingerprintOf(session.engine.paths, session.engine.info, schedule.adapters ?? []);
    const difference = differenceOf(file.fingerprint, expected);
    if (difference) throw new PrefixFileError('ERR_PREFIX_MISMATCH', path, mismatch(difference, file.fingerprint));
    const request = restoreRequest(session, file.context, file.saved, schedule);
    return { request, fold: foldPinned(file.context, request.adapters) };
  };
  return new Prefix(session, await new RequestStream<never, Pinned>(session.engine, prepare, signal).result());
}

function mismatch(field: keyof Fingerprint, saved: Fingerprint): string {
  if (field === 'adapters')
    return saved.adapters === undefined
      ? 'it was saved without adapters'
      : 'it was saved with other adapters: name them as adapters';
  return field === 'model' ? 'it belongs to another model' : `it was saved with another ${field}, ${saved[field]}`;
}

function foldPinned(context: Context, adapters: readonly NativeAdapter[] = []): Fold<never, Pinned> {
  return (event) =>
    event.type === 'finish'
      ? { parent: { id: event.request, context, adapters }, usage: event.usage, timings: event.timings }
      : undefined;
}

/**
 * Tokens that stay in the cache until `close()`: whatever is asked on them evaluates only what follows them.
 *
 * @example
 * const prefix = await model.prefill({ messages });
 * try {
 *   console.log(await prefix.sample({ count: 8, maxTokens: 32 }).texts());
 * } finally {
 *   await prefix.close();
 * }
 */
export class Prefix implements AsyncDisposable {
  /** How many tokens it has. */
  readonly tokens: number;
  /** Its text as it was tokenised; undefined where it was made of token ids. */
  readonly text: string | undefined;
  /** What making it took. */
  readonly usage: Usage;
  readonly timings: Timings;
  readonly #session: Session;
  readonly #parent: Parent;
  #isClosed = false;

  /** @internal */
  constructor(session: Session, { parent, usage, timings }: Pinned) {
    this.#session = session;
    this.#parent = parent;
    this.tokens = parent.context.tokens.length;
    this.text = parent.context.text;
    this.usage = usage;
    this.timings = timings;
  }

  /**
   * A prefix of its own, with more behind it if wanted; it shares this one's cells and outlives it.
   *
   * @example
   * const polite = await prefix.fork({ messages: [{ role: 'user', content: 'Good morning!' }] });
   */
  async fork(input: AppendedContext | RequestOptions = {}): Promise<Prefix> {
    const resolved = resolveContextInput(input as AppendedContext, this.#vocabularySize, true);
    this.#assertOpen();
    return pinPrefix(this.#session, resolved.input, this.#parent, resolved.how);
  }

  /**
   * One answer. On a conversation, messages may be appended first.
   *
   * @example
   * const text = await prefix.generate({ messages: [{ role: 'user', content: 'And in winter?' }] }).text();
   */
  generate<Output>(options: PrefixGenerateOptions & { schema: StandardSchema<Output> }): Generation<Output>;
  generate(options: PrefixGenerateOptions & { schema: JsonSchema }): Generation<unknown>;
  generate<const Choice extends string>(
    options: PrefixGenerateOptions & { choices: readonly Choice[] },
  ): Generation<Choice>;
  generate(options?: PrefixGenerateOptions): Generation;
  generate(options: PrefixGenerateOptions = {}): Generation<unknown> {
    const { input, sampling, constraint, signal } = resolveGenerateOptions(options, this.#vocabularySize, true);
    const prepare = async () => {
      const request = answerRequest(this.#session, await this.#contextForAnswer(input), this.#parent, sampling, 1);
      return { request, fold: foldGeneration(request), explain: constraint?.explain };
    };
    return new Generation(this.#session.engine, prepare, signal, constraint);
  }

  /**
   * `count` answers at once, each with a random stream of its own.
   *
   * @example
   * for (const text of await prefix.sample({ count: 8, topK: 40 }).texts()) console.log(text);
   */
  sample<const Checked extends Questions>(options: SampleOptions<Checked>): Sampling {
    const resolved = resolveSampleOptions(options, this.#vocabularySize);
    const { input, sampling, constraint, signal, count, checks } = resolved;
    const prepare = async () => {
      const context = await this.#contextForAnswer(input);
      const adapters = adaptersOf(this.#parent, sampling);
      const checked = await compileChecks(this.#session, context, checks, adapters);
      const request = answerRequest(this.#session, context, this.#parent, sampling, count, [], checked?.native);
      return { request, fold: foldSampling(request, checked), explain: constraint?.explain };
    };
    return new Sampling(this.#session.engine, prepare, signal);
  }

  /**
   * The likeliest texts behind the prefix that a beam search finds, the best first; as `model.beam()`.
   *
   * @example
   * const { text } = await prefix.beam({ beams: 10, minTokens: 20, noRepeatNgram: 3, ngramScope: 'context' });
   */
  async beam(options: PrefixBeamOptions = {}): Promise<BeamResult> {
    const resolved = resolveBeamOptions(options, this.#vocabularySize, true);
    this.#assertOpen();
    return beamSearch(this.#session, () => this.#contextForAnswer(resolved.input), this.#parent, resolved);
  }

  /**
   * Draws candidates, asks every attribute of each on its live sequence, drops those that fail `keep` and chooses the
   * one that ranks highest. Without options: LaMDA's turn (arXiv 2201.08239).
   *
   * @example
   * const { chosen, bestRejected } = await prefix.winnow({
   *   candidates: 8,
   *   attributes: { kind: { type: 'boolean', instructions: 'Is your last message kind?' } },
   *   keep: ({ kind }) => kind > 0.5,
   *   rank: ({ kind }) => kind,
   * }).result();
   * console.log(chosen ? chosen.text : `none passed; best: ${bestRejected?.text}`);
   */
  winnow<const Qs extends Questions = LamdaAttributes, const Checked extends Questions = Questions>(
    options: WinnowOptions<Qs, Checked> = {},
  ): WinnowTurn<Qs> {
    const resolved = resolveTurnOptions(options, this.#vocabularySize);
    const prepare = async () => {
      const context = await this.#contextForAnswer(resolved.input);
      const { sampling, candidates } = resolved;
      const adapters = adaptersOf(this.#parent, sampling);
      const questions = await compileBehind(this.#session, context, resolved.attributes, true, adapters);
      const checks = await compileChecks(this.#session, context, resolved.checks, adapters);
      const asked = [candidates, questions.native, checks?.native] as const;
      const request = answerRequest(this.#session, context, this.#parent, sampling, ...asked);
      const fold = foldTurn<Qs>(request, resolved, questions, checks);
      return { request, fold, explain: resolved.constraint?.explain };
    };
    return new WinnowTurn<Qs>(this.#session.engine, prepare, resolved.signal);
  }

  /**
   * Asks all questions behind the prefix, in one request; the answers have the questions' names.
   *
   * @example
   * const { topic } = await prefix.classify({
   *   topic: { type: 'choice', instructions: 'What is it about?', choices: { sport: null, music: 'also dance' } },
   * });
   * console.log(topic.choice, topic.probabilities.music);
   */
  async classify<const Qs extends Questions>(questions: Qs, options?: RequestOptions): Promise<Answers<Qs>> {
    const resolved = resolveQuestions(questions, this.#vocabularySize);
    const how = resolveRequestOptions(options);
    this.#assertOpen();
    return (await classify(this.#session, nothing, this.#parent, resolved, how)) as Answers<Qs>;
  }

  /**
   * log P(continuation | prefix), exactly, one per continuation and in their order.
   *
   * @example
   * const [paris, rome] = await prefix.logLikelihood([' Paris', ' Rome']);
   */
  async logLikelihood(continuations: readonly string[], options?: RequestOptions): Promise<Likelihood[]> {
    const texts = resolveContinuations(continuations);
    const how = resolveRequestOptions(options);
    this.#assertOpen();
    return logLikelihood(this.#session, nothing, this.#parent, texts, how);
  }

  /**
   * Writes it to a file, whole or not at all, for `model.loadPrefix()` of the same model, adapters, cache type, kernels and
   * version. Its size is that of its cells. The file holds its text in the clear.
   *
   * @example
   * await prefix.save('system-prompt.prefix');
   */
  async save(file: string): Promise<void> {
    const path = checkFilledText('file', file);
    this.#assertOpen();
    const { engine } = this.#session;
    const saved = await engine.savePrefix(this.#parent.id);
    const fingerprint = await fingerprintOf(engine.paths, engine.info, this.#parent.adapters);
    await writePrefixFile(path, { fingerprint, context: this.#parent.context, saved });
  }

  /** Lets its cells go; requests that run on it go on. Twice is fine. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.engine.releasePrefix(this.#parent.id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #vocabularySize(): number {
    return this.#session.engine.info.vocabularySize;
  }

  async #contextForAnswer(input: ResolvedInput): Promise<Context> {
    this.#assertOpen();
    assertCanGenerate(this.#session.engine.info);
    return buildContext(this.#session, input, this.#parent.context, true);
  }

  #assertOpen(): void {
    this.#session.engine.assertOpen();
    if (this.#isClosed) throw new ClosedError('prefix');
  }
}
