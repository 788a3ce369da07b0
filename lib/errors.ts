// Every failure that a user sees: a stable code, the facts as fields, what happened and what to do.

export type ErrorCode = `ERR_${string}`;

/** Base of all errors of this package. `code` is stable; the message is for people. */
export class WinnowError extends Error {
  override name = 'WinnowError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An argument that can't be right. Codes: `ERR_OPTION_UNKNOWN` (no such name), `ERR_OPTION_VALUE` (its value). */
export class OptionError extends WinnowError {
  override name = 'OptionError';
  /** Path of the option, such as `questions.sensible.instructions`. */
  readonly option: string;
  readonly value: unknown;

  constructor(code: 'ERR_OPTION_UNKNOWN' | 'ERR_OPTION_VALUE', message: string, option: string, value: unknown) {
    super(code, message);
    this.option = option;
    this.value = value;
  }
}

/** Code `ERR_CONTEXT_OVERFLOW`: the prompt and what is asked behind it leave no room in the context. */
export class ContextOverflowError extends WinnowError {
  override name = 'ContextOverflowError';
  /** Tokens of the prompt and, where questions are asked, of the longest of them. */
  readonly promptTokens: number;
  readonly contextSize: number;

  constructor(promptTokens: number, contextSize: number) {
    super(
      'ERR_CONTEXT_OVERFLOW',
      `The prompt takes ${promptTokens} tokens; the context holds ${contextSize}, the answer included. ` +
        'Shorten the prompt or load the model with a larger contextSize.',
    );
    this.promptTokens = promptTokens;
    this.contextSize = contextSize;
  }
}

const closedCodes = { model: 'ERR_MODEL_CLOSED', prefix: 'ERR_PREFIX_CLOSED', pool: 'ERR_POOL_CLOSED' } as const;

/** Use after close. Codes: `ERR_MODEL_CLOSED`, `ERR_PREFIX_CLOSED`, `ERR_POOL_CLOSED`. */
export class ClosedError extends WinnowError {
  override name = 'ClosedError';

  constructor(what: keyof typeof closedCodes) {
    super(closedCodes[what], `The ${what} has been closed.`);
  }
}

/** Code `ERR_CANCELLED`: the reader stopped the stream (`break`, `cancel()`), so that there is no result. */
export class CancelledError extends WinnowError {
  override name = 'CancelledError';

  constructor() {
    super('ERR_CANCELLED', 'The request was cancelled before it had finished.');
  }
}

/** Code `ERR_TIMEOUT`: the request's `timeoutMs` were over before it had ended. */
export class TimeoutError extends WinnowError {
  override name = 'TimeoutError';
  readonly timeoutMs: number;
  /** Tokens drawn until then, of all candidates; their events came first. */
  readonly generatedTokens: number;

  constructor(message: string, facts: Facts) {
    super('ERR_TIMEOUT', message);
    this.timeoutMs = facts['timeoutMs'];
    this.generatedTokens = facts['generatedTokens'];
  }
}

/** Code `ERR_QUEUE_FULL`: as many requests wait to begin as `maxQueue` allows. */
export class QueueFullError extends WinnowError {
  override name = 'QueueFullError';
  /** Requests that waited. */
  readonly depth: number;
  readonly maxQueue: number;

  constructor(message: string, facts: Facts) {
    super('ERR_QUEUE_FULL', message);
    this.depth = facts['depth'];
    this.maxQueue = facts['maxQueue'];
  }
}

/**
 * A saved prefix can't be loaded. Codes: `ERR_PREFIX_FILE` (damaged, or no such file of ours), `ERR_PREFIX_MISMATCH` (it
 * was saved with another model, cache type, kernels or version).
 */
export class PrefixFileError extends WinnowError {
  override name = 'PrefixFileError';
  readonly path: string;

  constructor(code: 'ERR_PREFIX_FILE' | 'ERR_PREFIX_MISMATCH', path: string, reason: string) {
    super(code, `${path} can't be loaded as a prefix: ${reason}. Make it again with prefill() and save().`);
    this.path = path;
  }
}

/** @internal */
export const adapterErrorCodes = [
  'ERR_ADAPTER_NOT_FOUND',
  'ERR_ADAPTER_FILE',
  'ERR_ADAPTER_MISMATCH',
  'ERR_ADAPTER_CONFLICT',
  'ERR_ADAPTER_IN_USE',
] as const;

type AdapterErrorCode = (typeof adapterErrorCodes)[number];

/**
 * A low-rank adapter can't be used. Codes: `ERR_ADAPTER_NOT_FOUND` (no such file, or it can't be read),
 * `ERR_ADAPTER_FILE` (damaged, or no adapter), `ERR_ADAPTER_MISMATCH` (made for another architecture or other shapes),
 * `ERR_ADAPTER_CONFLICT` (other adapters than the prefix's), `ERR_ADAPTER_IN_USE` (requests or prefixes have it still).
 */
export class AdapterError extends WinnowError {
  override name = 'AdapterError';
  /** Of its file. */
  readonly path: string;

  constructor(code: AdapterErrorCode, message: string, path: string, options?: ErrorOptions) {
    super(code, message, options);
    this.path = path;
  }
}

/**
 * The chat template could not be used. Codes: `ERR_NO_CHAT_TEMPLATE`, `ERR_TEMPLATE_FAILED` (it raised an error),
 * `ERR_TEMPLATE_TIMEOUT`, `ERR_TEMPLATE_OUTPUT` (too long), `ERR_TEMPLATE_NOT_EXTENDED` (the longer conversation does
 * not begin with the text of the prefix).
 */
export class TemplateError extends WinnowError {
  override name = 'TemplateError';
}

/**
 * What an answer should keep to can't be used. Codes: `ERR_GRAMMAR` (GBNF: line and column are in the message),
 * `ERR_REGEX`, `ERR_SCHEMA` (wrong, too large, or with a keyword that can't be enforced).
 */
export class ConstraintError extends WinnowError {
  override name = 'ConstraintError';
  /** Where in the schema, as a JSON pointer (`#/properties/age`), or the name of the option. */
  readonly pointer: string;
  /** Of a grammar (GBNF), from 1; undefined otherwise. */
  readonly line?: number;
  /** In bytes of the line, from 1. */
  readonly column?: number;

  constructor(
    code: 'ERR_GRAMMAR' | 'ERR_REGEX' | 'ERR_SCHEMA',
    message: string,
    pointer: string,
    { line, column, ...options }: ErrorOptions & { line?: number; column?: number } = {},
  ) {
    super(code, message, options);
    this.pointer = pointer;
    this.line = line;
    this.column = column;
  }
}

/** What is wrong with an output. */
export interface OutputIssue {
  /** JSON pointer into the value; '' = the whole. */
  path: string;
  message: string;
}

/** Code `ERR_OUTPUT_INVALID`: the answer was cut off, or is not what its schema wants beyond what a grammar can say. */
export class OutputError extends WinnowError {
  override name = 'OutputError';
  readonly text: string;
  readonly issues: readonly OutputIssue[];

  constructor(text: string, issues: readonly OutputIssue[], options?: ErrorOptions) {
    const [first] = issues;
    super('ERR_OUTPUT_INVALID', `The output is not valid: ${first.path && `${first.path}: `}${first.message}`, options);
    this.text = text;
    this.issues = issues;
  }
}

/** Code `ERR_UNSUPPORTED`: this model can't do it (see `model.info.capabilities`). */
export class CapabilityError extends WinnowError {
  override name = 'CapabilityError';
  readonly capability: string;
  readonly architecture: string;

  constructor(capability: string, architecture: string, reason: string) {
    super('ERR_UNSUPPORTED', `Models of architecture ${architecture} can't ${capability}: ${reason}`);
    this.capability = capability;
    this.architecture = architecture;
  }
}

/** The engine reported it: a model or a request that it can't serve (`ERR_CACHE_TOO_SMALL`, …), or a failure inside. */
export class EngineError extends WinnowError {
  override name = 'EngineError';
}

type Facts = Readonly<Record<string, number>>;

interface CodedError {
  code: ErrorCode;
  message: string;
  facts?: Facts;
}

function isCoded(error: unknown): error is CodedError {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('ERR_');
}

/** The error of native code as one of ours; anything else keeps its message and becomes the cause. */
export function fromNative(error: unknown): WinnowError {
  if (error instanceof WinnowError) return error;
  const cause = error instanceof Error ? { cause: error } : undefined;
  if (!isCoded(error)) return new EngineError('ERR_ENGINE', String((error as Error)?.message ?? error), cause);
  if (error.code === 'ERR_MODEL_CLOSED') return new ClosedError('model');
  if (error.code === 'ERR_PREFIX_CLOSED') return new ClosedError('prefix');
  if (error.facts && error.code === 'ERR_TIMEOUT') return new TimeoutError(error.message, error.facts);
  if (error.facts && error.code === 'ERR_QUEUE_FULL') return new QueueFullError(error.message, error.facts);
  if (error.code === 'ERR_GRAMMAR')
    return new ConstraintError('ERR_GRAMMAR', error.message, 'grammar', { ...cause, ...error.facts });
  return new EngineError(error.code, error.message, cause);
}
