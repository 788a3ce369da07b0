import { OptionError } from '../errors.js';
import {
  checkArray,
  checkBoolean,
  checkFields,
  checkFilledText,
  checkNames,
  checkSignal,
  checkText,
  checkTokens,
  withDefault,
} from './checks.js';
import type { NamespaceOptions, NativeSchedule, ScheduleOptions } from './schedule.js';
import { namespaceNames, resolveSchedule, scheduleNames } from './schedule.js';

export interface Message {
  role: 'system' | 'user' | 'assistant' | (string & {});
  content: string;
}

/**
 * Text or token ids as they are. Text is tokenised like any prompt: the beginning-of-text token where the model wants
 * one, special tokens recognised. Lone surrogates become U+FFFD.
 */
export interface PromptInput {
  prompt: string | readonly number[] | Int32Array;
  messages?: undefined;
}

/** A conversation, put into the model's own chat template. On a prefix: the messages that follow the prefix's. */
export interface MessagesInput {
  messages: readonly Message[];
  prompt?: undefined;
}

/** Exactly one of `prompt` and `messages`. */
export type Input = PromptInput | MessagesInput;

/** What is appended to a prefix. */
export type AppendedContext = (
  | PromptInput
  | (MessagesInput & {
      /** Whether the text ends where the assistant begins to speak. @default true behind a user's or a tool's message */
      addGenerationPrompt?: boolean;
    })
) &
  RequestOptions;

/** What a prefix or a question follows. */
export type ContextInput = AppendedContext & NamespaceOptions;

/** On a prefix, what is appended: nothing, text, token ids or messages. */
export type AppendedInput = Input | { prompt?: undefined; messages?: undefined };

/** @internal */
export type ResolvedInput =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'tokens'; tokens: Int32Array }
  | { kind: 'messages'; messages: Message[]; addGenerationPrompt?: boolean };

const maxMessages = 1024;
export const inputNames = ['prompt', 'messages'] as const;

/** `mayBeMissing`: on a prefix, nothing may be appended. */
export function resolveInput(options: AppendedInput, vocabularySize: number, mayBeMissing: boolean): ResolvedInput {
  const { prompt, messages } = options;
  if (prompt !== undefined && messages !== undefined)
    throw new OptionError('ERR_OPTION_VALUE', 'Give either prompt or messages, not both', 'messages', messages);
  if (messages !== undefined) return { kind: 'messages', messages: resolveMessages(messages) };
  if (prompt !== undefined) return resolvePrompt(prompt, vocabularySize);
  if (mayBeMissing) return { kind: 'none' };
  throw new OptionError('ERR_OPTION_VALUE', 'Give a prompt (text or token ids) or messages', 'prompt', prompt);
}

export function resolveContextInput(
  input: ContextInput,
  vocabularySize: number,
  mayBeMissing: boolean,
): { input: ResolvedInput; how: ResolvedRequestOptions } {
  const fields = checkFields('input', input);
  const more = mayBeMissing ? [] : namespaceNames;
  checkNames('options', fields, [...inputNames, 'addGenerationPrompt', ...requestNames, ...more]);
  const resolved = resolveInput(input, vocabularySize, mayBeMissing);
  const { addGenerationPrompt } = fields;
  if (addGenerationPrompt !== undefined) checkBoolean('addGenerationPrompt', addGenerationPrompt);
  if (resolved.kind === 'messages') resolved.addGenerationPrompt = addGenerationPrompt as boolean | undefined;
  return { input: resolved, how: { signal: resolveSignal(input.signal), schedule: resolveSchedule(input) } };
}

export function resolveMessages(messages: unknown): Message[] {
  return checkArray('messages', messages, 1, maxMessages, 'messages').map((message, index) => {
    const path = `messages[${index}]`;
    const fields = checkFields(path, message);
    checkNames(path, fields, ['role', 'content']);
    return {
      role: checkFilledText(`${path}.role`, fields['role']),
      content: checkText(`${path}.content`, fields['content']),
    };
  });
}

function resolvePrompt(prompt: unknown, vocabularySize: number): ResolvedInput {
  if (typeof prompt === 'string') return { kind: 'text', text: checkText('prompt', prompt) };
  return { kind: 'tokens', tokens: checkTokens('prompt', prompt, vocabularySize) };
}

export function resolveSignal(signal: unknown): AbortSignal | undefined {
  return signal === undefined ? undefined : checkSignal('signal', signal);
}

export interface RequestOptions extends ScheduleOptions {
  /** Rejects with its reason when it fires; the engine stops working on the request. */
  signal?: AbortSignal;
}

/** @internal */
export interface ResolvedRequestOptions {
  signal?: AbortSignal;
  schedule: NativeSchedule;
}

const requestNames = ['signal', ...scheduleNames];

export function resolveRequestOptions(options: RequestOptions = {}): ResolvedRequestOptions {
  checkNames('options', checkFields('options', options), requestNames);
  return { signal: resolveSignal(options.signal), schedule: resolveSchedule(options) };
}

/** Of requests that are on no prefix. */
export function resolveNamespacedOptions(options: RequestOptions & NamespaceOptions = {}): ResolvedRequestOptions {
  checkNames('options', checkFields('options', options), [...requestNames, ...namespaceNames]);
  return { signal: resolveSignal(options.signal), schedule: resolveSchedule(options) };
}

export interface TokenizeOptions {
  /** Add the beginning-of-text token where the model wants one. @default true, as for prompts */
  addSpecial?: boolean;
  /** Read `<|im_end|>` and the like as the special tokens they name. @default true, as for prompts */
  parseSpecial?: boolean;
}

export function resolveTokenizeOptions(options: TokenizeOptions = {}): Required<TokenizeOptions> {
  checkNames('options', checkFields('options', options), ['addSpecial', 'parseSpecial']);
  return {
    addSpecial: checkBoolean('addSpecial', withDefault(options.addSpecial, true)),
    parseSpecial: checkBoolean('parseSpecial', withDefault(options.parseSpecial, true)),
  };
}

export interface DetokenizeOptions {
  /** Show special tokens as text. @default false */
  special?: boolean;
}

export function resolveDetokenizeOptions(options: DetokenizeOptions = {}): Required<DetokenizeOptions> {
  checkNames('options', checkFields('options', options), ['special']);
  return { special: checkBoolean('special', withDefault(options.special, false)) };
}

export interface ChatTemplateOptions {
  /** Whether the text ends where the assistant begins to speak. @default true */
  addGenerationPrompt?: boolean;
}

export function resolveChatTemplateOptions(options: ChatTemplateOptions = {}): Required<ChatTemplateOptions> {
  checkNames('options', checkFields('options', options), ['addGenerationPrompt']);
  return { addGenerationPrompt: checkBoolean('addGenerationPrompt', withDefault(options.addGenerationPrompt, true)) };
}

export interface CloseOptions {
  /** Let open requests end first; otherwise they fail at once with `ERR_MODEL_CLOSED`. @default false */
  drain?: boolean;
}

export function resolveCloseOptions(options: CloseOptions = {}): Required<CloseOptions> {
  checkNames('options', checkFields('options', options), ['drain']);
  return { drain: checkBoolean('drain', withDefault(options.drain, false)) };
}

const maxContinuations = 4096;

/** `path`: their name in messages. */
export function resolveContinuations(continuations: unknown, path = 'continuations'): string[] {
  return checkArray(path, continuations, 1, maxContinuations, 'texts').map((text, index) =>
    checkFilledText(`${path}[${index}]`, text),
  );
}

export {
  checkFilledText as resolveFilledText,
  checkText as resolveText,
  checkTokens as resolveTokens,
} from './checks.js';
