import { checkFields, checkInteger, checkNames, checkText, checkTokens, invalid, withDefault } from './checks.js';
import type { RequestOptions } from './input.js';
import { resolveSignal } from './input.js';
import type { NativeSchedule } from './schedule.js';
import { resolveSchedule } from './schedule.js';

export interface RollingOptions extends RequestOptions {
  /** Tokens that are evaluated together, 1 to the model's contextSize. @default contextSize */
  window?: number;
  /**
   * Tokens that each window after the first scores, 1 to `window`: fewer cost more and give every token more context.
   * @default window, so that every token is evaluated once
   */
  stride?: number;
}

export interface PromptLogprobsOptions extends RollingOptions {
  /** Give the n likeliest tokens at each place, 0 to 20. @default 0 */
  topLogprobs?: number;
}

export interface ResolvedRollingOptions {
  window: number;
  stride: number;
  signal?: AbortSignal;
  schedule: NativeSchedule;
}

const rollingNames = ['window', 'stride', 'signal', 'adapters'];
const maxTopLogprobs = 20;

export function resolveRollingOptions(
  options: RollingOptions,
  contextSize: number,
  moreNames: readonly string[] = [],
): ResolvedRollingOptions {
  checkNames('options', checkFields('options', options), [...rollingNames, ...moreNames]);
  const window = checkInteger('window', withDefault(options.window, contextSize), 1, contextSize);
  const stride = checkInteger('stride', withDefault(options.stride, window), 1, window);
  const schedule = resolveSchedule({ adapters: options.adapters });
  return { window, stride, signal: resolveSignal(options.signal), schedule };
}

export function resolvePromptLogprobsOptions(
  options: PromptLogprobsOptions,
  contextSize: number,
): ResolvedRollingOptions & { topLogprobs: number } {
  const topLogprobs = checkInteger('topLogprobs', withDefault(options.topLogprobs, 0), 0, maxTopLogprobs);
  return { ...resolveRollingOptions(options, contextSize, ['topLogprobs']), topLogprobs };
}

/** A text, or token ids of this vocabulary. */
export function resolveTextOrTokens(path: string, value: unknown, vocabularySize: number): string | Int32Array {
  if (typeof value === 'string') return checkText(path, value);
  if (!Array.isArray(value) && !(value instanceof Int32Array)) throw invalid(path, value, 'a text or token ids');
  return checkTokens(path, value, vocabularySize);
}
