import { CapabilityError } from './errors.js';
import type { NativeModelInfo } from './native.js';

/** What a model can do; what it can't is refused with `ERR_UNSUPPORTED`. */
export interface Capabilities {
  /** Sequences can be copied at any moment: prefixes, several candidates, questions behind a live answer. */
  fork: boolean;
  generate: boolean;
  /** A request's numbers are the same, bit for bit, whatever else is in the batch. */
  batchInvariant: boolean;
  /** There is a chat template: `messages` work. */
  chat: boolean;
}

export function assertCanGenerate(info: NativeModelInfo): void {
  if (!info.canGenerate) throw new CapabilityError('generate', info.architecture, 'it only encodes text.');
}

export function assertCanFork(info: NativeModelInfo): void {
  if (!info.canFork)
    throw new CapabilityError(
      'fork',
      info.architecture,
      'its state cannot be shared between sequences or taken back in part.',
    );
}
