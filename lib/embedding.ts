import type { Session } from './context.js';
import { WinnowError } from './errors.js';
import type { NativeEncode } from './native.js';
import type { ResolvedEmbedOptions, ResolvedRequestOptions } from './options.js';
import { encodeRequest } from './requests.js';
import type { Fold } from './request-stream.js';
import { RequestStream } from './request-stream.js';

// Requests that turn whole texts into vectors: nothing is generated, nothing stays in the cache.

export async function embedTexts(
  session: Session,
  texts: readonly (string | Int32Array)[],
  { pooling, normalize, ...how }: ResolvedEmbedOptions,
): Promise<Float32Array[]> {
  const tokens = texts.map((text) => tokenizeText(session, text));
  return encode(session, { texts: tokens, pooling, normalize }, how);
}

/** The text as the model reads it, special tokens around it. What is spelled like one of them is text. */
export function tokenizeText({ engine }: Session, text: string | Int32Array): Int32Array {
  return typeof text === 'string' ? engine.tokenize(text, true, false) : text;
}

/** One vector per text, in their order. Rejects with `ERR_CONTEXT_OVERFLOW` and `ERR_PROMPT_EMPTY`. */
export async function encode(
  session: Session,
  texts: NativeEncode,
  { signal, schedule }: ResolvedRequestOptions,
): Promise<Float32Array[]> {
  checkLengths(session, texts.texts);
  const prepare = async () => ({ request: encodeRequest(session, texts, schedule), fold: foldVectors() });
  return new RequestStream(session.engine, prepare, signal).result();
}

function checkLengths({ engine }: Session, texts: readonly Int32Array[]): void {
  const { maxTextTokens } = engine.info;
  texts.forEach(({ length }, index) => {
    if (length === 0) throw new WinnowError('ERR_PROMPT_EMPTY', `Text ${index} has no tokens.`);
    if (length <= maxTextTokens) return;
    throw new WinnowError(
      'ERR_CONTEXT_OVERFLOW',
      `Text ${index} has ${length} tokens; this model encodes at most ${maxTextTokens} at once. ` +
        'Shorten it, or load the model with a larger maxStepTokens or contextSize where it was trained for more.',
    );
  });
}

function foldVectors(): Fold<never, Float32Array[]> {
  const vectors: Float32Array[] = [];
  return (event) => {
    if (event.type === 'vector') vectors[event.text] = event.values;
    return event.type === 'finish' ? vectors : undefined;
  };
}
