import type { NativeDecoding } from '../native.js';
import {
  checkArray,
  checkFields,
  checkFilledText,
  checkInteger,
  checkNames,
  checkNumber,
  checkOneOf,
  invalid,
  withDefault,
} from './checks.js';

/** Taken off a token's logit once per earlier n-gram that the token would repeat. */
export interface NgramPenalty {
  /** Tokens of an n-gram, 1 to 64. */
  size: number;
  penalty: number;
}

/** Added to the logits of a text's token, or of its last one where those before it have come. */
export interface TextBias {
  /** As it stands, white space included: ` Sorry` and `Sorry` are different tokens. */
  text: string;
  /** A number, or -Infinity to ban the text. */
  bias: number;
}

export interface FactualNucleus {
  /** λ: what `topP` is multiplied by with each token of a sentence, above 0 to 1; 1 = off. @default 0.9 */
  decay?: number;
  /** ω: `topP` does not become smaller, 0 to 1. @default 0.3, as BlenderBot 3 */
  floor?: number;
}

/** Ways of drawing that published systems need. */
export interface DecodingOptions {
  /** No n-gram of this many tokens comes twice, 1 to 64; 0 = off. @default 0 */
  noRepeatNgram?: number;
  /** Up to 8 penalties of repeated n-grams. @default none */
  ngramPenalties?: readonly NgramPenalty[];
  /** Which n-grams these two count: those of the answer, or the prompt's as well. @default 'text' */
  ngramScope?: 'text' | 'context';
  /**
   * Factual nucleus (arXiv 2206.04624): the mass that is kept is max(ω, topP · λ^max(0, t − 1)), t being the tokens that
   * the sentence has so far; it begins anew behind `.`, `?` and `!`. @default none
   */
  factualNucleus?: FactualNucleus;
}

export const decodingNames = {
  noRepeatNgram: 0,
  ngramPenalties: 0,
  ngramScope: 0,
  factualNucleus: 0,
} satisfies Record<keyof DecodingOptions, 0>;

const longestNgram = 64;
const maxPenalties = 8;
const maxTextBiases = 1024;
const maxBiasBytes = 256;

/** undefined where none of it is used. */
export function resolveDecoding(options: DecodingOptions, logitBias: unknown): NativeDecoding | undefined {
  const ngrams = [...resolveBlocking(options.noRepeatNgram), ...resolveNgramPenalties(options.ngramPenalties)];
  const scope = checkOneOf('ngramScope', withDefault(options.ngramScope, 'text'), ['text', 'context']);
  const nucleus = resolveFactualNucleus(options.factualNucleus);
  const texts = Array.isArray(logitBias) ? resolveTextBias(logitBias) : [];
  if (ngrams.length === 0 && nucleus.decay === 1 && texts.length === 0) return undefined;
  return {
    ngramSizes: Int32Array.from(ngrams, ({ size }) => size),
    ngramPenalties: Float32Array.from(ngrams, ({ penalty }) => penalty),
    ngramContext: scope === 'context',
    nucleusDecay: nucleus.decay,
    nucleusFloor: nucleus.floor,
    biasTexts: texts.map(({ text }) => text),
    biasTextValues: Float32Array.from(texts, ({ bias }) => bias),
  };
}

function resolveBlocking(value: unknown): NgramPenalty[] {
  const size = checkInteger('noRepeatNgram', withDefault(value, 0), 0, longestNgram);
  return size === 0 ? [] : [{ size, penalty: Infinity }];
}

function resolveNgramPenalties(value: unknown): NgramPenalty[] {
  const list = checkArray('ngramPenalties', withDefault(value, []), 0, maxPenalties, 'penalties');
  return list.map((entry, index) => {
    const path = `ngramPenalties[${index}]`;
    const fields = checkFields(path, entry);
    checkNames(path, fields, ['size', 'penalty']);
    const penalty = checkNumber(`${path}.penalty`, fields['penalty'], 'a finite number', () => true);
    return { size: checkInteger(`${path}.size`, fields['size'], 1, longestNgram), penalty };
  });
}

function resolveFactualNucleus(value: unknown): Required<FactualNucleus> {
  if (value === undefined) return { decay: 1, floor: 0 };
  const fields = checkFields('factualNucleus', value);
  checkNames('factualNucleus', fields, ['decay', 'floor']);
  const share = (name: string, fallback: number, allowed: string, isAllowed: (value: number) => boolean) =>
    checkNumber(`factualNucleus.${name}`, withDefault(fields[name], fallback), allowed, isAllowed);
  return {
    decay: share('decay', 0.9, 'above 0 and at most 1', (decay) => decay > 0 && decay <= 1),
    floor: share('floor', 0.3, 'from 0 to 1', (floor) => floor >= 0 && floor <= 1),
  };
}

function resolveTextBias(list: readonly unknown[]): TextBias[] {
  checkArray('logitBias', list, 0, maxTextBiases, 'biases of texts');
  return list.map((entry, index) => {
    const path = `logitBias[${index}]`;
    const fields = checkFields(path, entry);
    checkNames(path, fields, ['text', 'bias']);
    const text = checkFilledText(`${path}.text`, fields['text']);
    if (Buffer.byteLength(text) > maxBiasBytes)
      throw invalid(`${path}.text`, text, `at most ${maxBiasBytes} bytes long`);
    return { text, bias: checkBiasValue(`${path}.bias`, fields['bias']) };
  });
}

export function checkBiasValue(path: string, value: unknown): number {
  return value === -Infinity ? value : checkNumber(path, value, 'a finite number or -Infinity', () => true);
}
