import type { Constraint, ConstraintOptions } from '../constraint/constraint.js';
import { resolveConstraint } from '../constraint/constraint.js';
import type { NativeRequest } from '../native.js';
import {
  checkArray,
  checkBoolean,
  checkFields,
  checkFilledText,
  checkInteger,
  checkNames,
  checkNumber,
  checkTokens,
  invalid,
  withDefault,
} from './checks.js';
import type { Questions } from '../questions/question.js';
import type { DecodingOptions, TextBias } from './decoding.js';
import { checkBiasValue, decodingNames, resolveDecoding } from './decoding.js';
import type { ChecksOptions, ResolvedChecks } from './candidate-checks.js';
import { resolveChecks } from './candidate-checks.js';
import type { AppendedInput, Input, ResolvedInput } from './input.js';
import { inputNames, resolveInput, resolveSignal } from './input.js';
import type { Probes } from './probes.js';
import { resolveProbes } from './probes.js';
import type { NamespaceOptions, NativeSchedule, ScheduleOptions } from './schedule.js';
import { namespaceNames, resolveSchedule } from './schedule.js';

/**
 * How an answer is drawn. Applied in this order: logit bias, penalties (of tokens, then of n-grams), temperature, top-k,
 * top-p, min-p.
 */
export interface GenerationOptions extends ScheduleOptions, ConstraintOptions, DecodingOptions {
  /** Stop after this many new tokens; also where the context is full. @default 256 */
  maxTokens?: number;
  /** No end-of-text token before this many new tokens; 0 = off. @default 0 */
  minTokens?: number;
  /** Never draw an end-of-text token: the answer ends by `stop`, `stopTokens` or `maxTokens`. @default false */
  ignoreEos?: boolean;
  /** Divides the logits; 0 = greedy, the likeliest token. @default 1, the model's own distribution */
  temperature?: number;
  /** Keep the k likeliest tokens; 0 = off. @default 0 */
  topK?: number;
  /** Keep the likeliest tokens that together reach this mass (arXiv 1904.09751), above 0 to 1; 1 = off. @default 1 */
  topP?: number;
  /** Drop tokens less likely than this share of the likeliest (arXiv 2407.01082), 0 to 1; 0 = off. @default 0 */
  minP?: number;
  /** Divides positive and multiplies negative logits of tokens that occurred (arXiv 1909.05858); 1 = off. @default 1 */
  repetitionPenalty?: number;
  /** Subtracted from a token's logit once per occurrence; 0 = off. @default 0 */
  frequencyPenalty?: number;
  /** Subtracted once from the logit of a token that occurred; 0 = off. @default 0 */
  presencePenalty?: number;
  /** How many of the last tokens the penalties look at, the prompt's included; 0 = all. @default 64 */
  penaltyWindow?: number;
  /** Added to the logits, by token id or by text; -Infinity bans. @default none */
  logitBias?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | readonly TextBias[];
  /** 0 … 2^53 − 1: the same seed gives the same text, whatever else runs. @default random; the result reports it */
  seed?: number;
  /** Up to 16 texts of up to 256 bytes that end the answer and are not shown. @default none */
  stop?: string | readonly string[];
  /** Up to 64 token ids that end the answer. @default none */
  stopTokens?: readonly number[] | Int32Array;
  /** Give the log-probability of each token, of the model's own distribution. @default false */
  logprobs?: boolean;
  /** Give the n likeliest tokens at each place, 0 to 20; implies `logprobs`. @default 0 */
  topLogprobs?: number;
  /** Linear functions of hidden states, read with every token at no extra evaluation. @default none */
  probes?: Probes;
  /** Stops the request: what comes after rejects with its reason. */
  signal?: AbortSignal;
}

/** Options of `model.generate()`. */
export type GenerateOptions = GenerationOptions & NamespaceOptions & Input;
/** Options of `prefix.generate()`: what is appended, if anything, and how the answer is drawn. */
export type PrefixGenerateOptions = GenerationOptions & AppendedInput;
/** Options of `prefix.sample()`. */
export type SampleOptions<Checked extends Questions = Questions> = PrefixGenerateOptions & {
  /** How many answers, 1 to 1,024. */
  count: number;
  /** Stops candidates that fail a question while they are generated. @default none */
  checks?: ChecksOptions<Checked>;
};

/** @internal What of a request says how its answers are drawn. */
export type NativeSampling = Omit<
  NativeRequest,
  'prompt' | 'parent' | 'pin' | 'candidates' | 'questions' | 'checks' | 'beam' | 'encode' | keyof NativeSchedule
>;

/** @internal */
export interface ResolvedGenerateOptions {
  input: ResolvedInput;
  /** And when. */
  sampling: NativeSampling & NativeSchedule;
  constraint?: Constraint;
  signal?: AbortSignal;
}

const generationNames = {
  maxTokens: 0,
  minTokens: 0,
  ignoreEos: 0,
  temperature: 0,
  topK: 0,
  topP: 0,
  minP: 0,
  repetitionPenalty: 0,
  frequencyPenalty: 0,
  presencePenalty: 0,
  penaltyWindow: 0,
  logitBias: 0,
  seed: 0,
  stop: 0,
  stopTokens: 0,
  logprobs: 0,
  topLogprobs: 0,
  probes: 0,
  grammar: 0,
  regex: 0,
  choices: 0,
  schema: 0,
  signal: 0,
  timeoutMs: 0,
  priority: 0,
  adapters: 0,
  ...decodingNames,
} satisfies Record<keyof GenerationOptions, 0>;

const knownNames = [...inputNames, ...Object.keys(generationNames)];
const largest = 2 ** 31 - 1; // What native code counts with.
const maxStops = 16;
const maxStopBytes = 256;
const maxStopTokens = 64;
const maxTopLogprobs = 20;
export const maxCandidates = 1024;

/** `moreNames`: options of the caller's own, checked by it. `mayBeMissing`: on a prefix, nothing may be appended. */
export function resolveGenerateOptions(
  options: PrefixGenerateOptions,
  vocabularySize: number,
  mayBeMissing: boolean,
  moreNames: readonly string[] = [],
): ResolvedGenerateOptions {
  const names = [...knownNames, ...moreNames, ...(mayBeMissing ? [] : namespaceNames)];
  checkNames('options', checkFields('options', options), names);
  const input = resolveInput(options, vocabularySize, mayBeMissing);
  const sampling = { ...resolveSampling(options, vocabularySize), ...resolveSchedule(options) };
  const constraint = resolveConstraint(options);
  return {
    input,
    sampling: constraint ? { ...sampling, grammar: constraint.grammar } : sampling,
    constraint,
    signal: resolveSignal(options.signal),
  };
}

export function resolveSampleOptions(
  options: SampleOptions,
  vocabularySize: number,
): ResolvedGenerateOptions & { count: number; checks?: ResolvedChecks } {
  const resolved = resolveGenerateOptions(options, vocabularySize, true, ['count', 'checks']);
  const count = checkInteger('count', options.count, 1, maxCandidates);
  return { ...resolved, count, checks: resolveChecks(options.checks, count, vocabularySize) };
}

export function resolveSampling(options: GenerationOptions, vocabularySize: number): NativeSampling {
  const decoding = resolveDecoding(options, options.logitBias);
  const topLogprobs = checkInteger('topLogprobs', withDefault(options.topLogprobs, 0), 0, maxTopLogprobs);
  return {
    ...resolveLength(options),
    ...resolveDistribution(options),
    ...resolvePenalties(options),
    ...resolveBias(options.logitBias, vocabularySize),
    ...(decoding && { decoding }),
    seed: options.seed === undefined ? randomSeed() : checkInteger('seed', options.seed, 0),
    logprobs: checkBoolean('logprobs', withDefault(options.logprobs, false)) || topLogprobs > 0,
    topLogprobs,
    ...(options.probes !== undefined && { probes: resolveProbes(options.probes) }),
    stop: resolveStop(withDefault(options.stop, [])),
    stopTokens: resolveStopTokens(withDefault(options.stopTokens, []), vocabularySize),
  };
}

function resolveLength(options: GenerationOptions) {
  const maxTokens = checkInteger('maxTokens', withDefault(options.maxTokens, 256), 1, largest);
  const minTokens = checkInteger('minTokens', withDefault(options.minTokens, 0), 0, largest);
  if (minTokens > maxTokens) throw invalid('minTokens', minTokens, `at most maxTokens (${maxTokens})`);
  return { maxTokens, minTokens, ignoreEos: checkBoolean('ignoreEos', withDefault(options.ignoreEos, false)) };
}

function resolveDistribution(options: GenerationOptions) {
  return {
    temperature: checkNumber(
      'temperature',
      withDefault(options.temperature, 1),
      'a finite number of at least 0',
      (value) => value >= 0,
    ),
    topK: checkInteger('topK', withDefault(options.topK, 0), 0, largest),
    topP: checkNumber(
      'topP',
      withDefault(options.topP, 1),
      'above 0 and at most 1',
      (value) => value > 0 && value <= 1,
    ),
    minP: checkNumber('minP', withDefault(options.minP, 0), 'from 0 to 1', (value) => value >= 0 && value <= 1),
  };
}

function resolvePenalties(options: GenerationOptions) {
  const finite = (name: 'frequencyPenalty' | 'presencePenalty') =>
    checkNumber(name, withDefault(options[name], 0), 'a finite number', () => true);
  return {
    repetitionPenalty: checkNumber(
      'repetitionPenalty',
      withDefault(options.repetitionPenalty, 1),
      'above 0',
      (value) => value > 0,
    ),
    frequencyPenalty: finite('frequencyPenalty'),
    presencePenalty: finite('presencePenalty'),
    penaltyWindow: checkInteger('penaltyWindow', withDefault(options.penaltyWindow, 64), 0, largest),
  };
}

function resolveBias(bias: unknown, vocabularySize: number) {
  if (Array.isArray(bias)) return { biasTokens: new Int32Array(0), biasValues: new Float32Array(0) }; // By text.
  const entries =
    bias instanceof Map ? [...bias] : Object.entries(bias === undefined ? {} : checkFields('logitBias', bias));
  for (const [token, value] of entries) checkBias(token, value, vocabularySize);
  return {
    biasTokens: Int32Array.from(entries, ([token]) => Number(token)),
    biasValues: Float32Array.from(entries, ([, value]) => value as number),
  };
}

function checkBias(token: unknown, value: unknown, vocabularySize: number): void {
  const id = typeof token === 'string' && /^\d+$/.test(token) ? Number(token) : token;
  const isToken = Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabularySize;
  if (!isToken) throw invalid('logitBias', token, `keyed by token ids from 0 to ${vocabularySize - 1}`);
  checkBiasValue(`logitBias[${String(token)}]`, value);
}

function resolveStop(stop: unknown): string[] {
  const list = typeof stop === 'string' ? [stop] : checkArray('stop', stop, 0, maxStops, 'strings');
  return list.map((value, index) => {
    const path = typeof stop === 'string' ? 'stop' : `stop[${index}]`;
    const text = checkFilledText(path, value);
    if (Buffer.byteLength(text) > maxStopBytes) throw invalid(path, value, `at most ${maxStopBytes} bytes long`);
    return text;
  });
}

function resolveStopTokens(value: unknown, vocabularySize: number): Int32Array {
  const tokens = checkTokens('stopTokens', value, vocabularySize);
  if (tokens.length > maxStopTokens) throw invalid('stopTokens', value, `at most ${maxStopTokens} token ids`);
  return tokens;
}

/** 48 random bits: enough to be different, short enough to type again. */
function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 48);
}
