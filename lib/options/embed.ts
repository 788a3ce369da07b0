import {
  checkArray,
  checkBoolean,
  checkFields,
  checkFilledText,
  checkNames,
  checkOneOf,
  checkTokens,
  invalid,
  withDefault,
} from './checks.js';
import type { RequestOptions, ResolvedRequestOptions } from './input.js';
import { resolveRequestOptions } from './input.js';

/** How the states of a text's tokens become one vector: their mean, the first one, the last one. */
export type Pooling = 'mean' | 'cls' | 'last';

/** Text, tokenised with the model's special tokens around it, or token ids as they are. Not empty. */
export type TextInput = string | readonly number[] | Int32Array;

export interface EmbedOptions extends Omit<RequestOptions, 'adapters'> {
  /** @default what the model was trained with; where its file doesn't say: 'mean', of a model that generates 'last' */
  pooling?: Pooling;
  /** Vectors of Euclidean length 1, so that their dot product is the cosine. @default true */
  normalize?: boolean;
}

/** @internal */
export interface ResolvedEmbedOptions extends ResolvedRequestOptions {
  pooling: Pooling;
  normalize: boolean;
}

const maxTexts = 100_000;

export function resolveTexts(path: string, texts: unknown, vocabularySize: number): (string | Int32Array)[] {
  return checkArray(path, texts, 1, maxTexts, 'texts').map((text, index) => {
    const place = `${path}[${index}]`;
    if (typeof text === 'string') return checkFilledText(place, text);
    const tokens = checkTokens(place, text, vocabularySize);
    if (tokens.length === 0) throw invalid(place, text, 'at least one token');
    return tokens;
  });
}

/** `trained`: the model's own pooling. */
export function resolveEmbedOptions(options: EmbedOptions, trained: Pooling): ResolvedEmbedOptions {
  const { pooling, normalize, ...request } = options;
  const fields = checkFields('options', options);
  checkNames('options', fields, ['pooling', 'normalize', 'signal', 'timeoutMs', 'priority']);
  return {
    ...resolveRequestOptions(request),
    pooling: checkOneOf<Pooling>('pooling', withDefault(pooling, trained), ['mean', 'cls', 'last']),
    normalize: checkBoolean('normalize', withDefault(normalize, true)),
  };
}
