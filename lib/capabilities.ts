import { CapabilityError } from './errors.js';
import type { NativeModelInfo } from './native.js';

/** What a model can do; what it can't is refused with `ERR_UNSUPPORTED`. */
export interface Capabilities {
  /** Sequences can be copied at any moment: prefixes, several candidates, questions behind a live answer. */
  fork: boolean;
  generate: boolean;
  /** The prompt is read by an encoder, the answer begins anew (T5): no prefixes, one request at a time. */
  encoderDecoder: boolean;
  /** Texts become vectors: `embed()`. */
  embed: boolean;
  /** There is a classification or reward head: `classifyTexts()`, `reward()`, `rerank()`. */
  head: boolean;
  /** A request's numbers are the same, bit for bit, whatever else is in the batch. */
  batchInvariant: boolean;
  /** There is a chat template: `messages` work. */
  chat: boolean;
}

export function assertCanGenerate(info: NativeModelInfo): void {
  if (!info.canGenerate) throw new CapabilityError('generate', info.architecture, 'it only encodes text.');
}

export const isEncoderDecoder = (info: NativeModelInfo): boolean => info.decoderStart >= 0;

/** For what goes on behind the text itself. */
export function assertContinues(info: NativeModelInfo, capability: string): void {
  if (isEncoderDecoder(info))
    throw new CapabilityError(capability, info.architecture, 'an encoder reads the text, and the answer begins anew.');
}

export const canEmbed = (info: NativeModelInfo): boolean => info.maxTextTokens > 0 && info.classes === 0;

export function assertCanEmbed(info: NativeModelInfo): void {
  if (info.classes > 0)
    throw new CapabilityError('embed', info.architecture, 'this one ends in a classification head, not in vectors.');
  if (!canEmbed(info)) throw new CapabilityError('embed', info.architecture, 'they give no state of a whole text.');
}

export function assertHasHead(info: NativeModelInfo): void {
  if (info.classes === 0)
    throw new CapabilityError(
      'classify by a head',
      info.architecture,
      'this file has none (pooling type rank). Ask a question with classify() instead.',
    );
}

export function assertCanAdapt({ architecture, maxAdapters }: NativeModelInfo, count: number): void {
  if (count <= maxAdapters) return;
  const reason = maxAdapters > 0 ? `it can have ${maxAdapters} at a time.` : 'they must generate and have no encoder.';
  throw new CapabilityError(count > 1 ? `have ${count} adapters` : 'have adapters', architecture, reason);
}

export function assertCanFork(info: NativeModelInfo): void {
  if (!info.canFork)
    throw new CapabilityError(
      'fork',
      info.architecture,
      'its state cannot be shared between sequences or taken back in part.',
    );
}
