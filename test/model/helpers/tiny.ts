import { loadModel } from '../../../lib/index.js';
import type { LoadOptions, Model } from '../../../lib/index.js';
import { readReference } from './files.js';
import { tinyModel } from './made-models.js';

/** What PyTorch computed in float32 for one of the tiny random models, from make_tiny.py. */
export interface TinyReference {
  name: string;
  sha256: string;
  /** `logprobs`: of the tokens 0 … 254 behind the context. */
  contexts: { tokens: number[]; logprobs: number[] }[];
}

export const tinyReferences = readReference<TinyReference[]>('tiny-models.json');

export function tinyModelFile(name: string): Promise<string> {
  const reference = tinyReferences.find((entry) => entry.name === name);
  if (!reference) throw new Error(`there are no reference numbers for ${name}`);
  return tinyModel(name, reference.sha256);
}

/** Plain attention, 2 layers of 64: hundreds of requests a second through the real backend. */
export async function openTinyLlama(options: LoadOptions = {}): Promise<Model> {
  return loadModel(await tinyModelFile('tiny-llama'), { gpuLayers: 0, threads: 1, ...options });
}
