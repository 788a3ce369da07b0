import path from 'node:path';
import { OptionError } from '../errors.js';
import type { NativeAdapter } from '../native.js';
import { checkArray, checkFields, checkFilledText, checkNames, checkNumber, withDefault } from './checks.js';

/** A low-rank adapter (LoRA, arXiv 2106.09685) for the model, as a GGUF file. */
export interface Adapter {
  /** Of the file, as `convert_lora_to_gguf.py` of llama.cpp writes it. */
  path: string;
  /** Times alpha ÷ rank of the file, as float32; negative ones subtract, 0 = off. @default 1 */
  scale?: number;
}

export interface AdapterOptions {
  /**
   * What is added to the model's weights for this request, up to 8; each file is read with the first request that names
   * it. Requests share cached tokens only where adapters and scales are the same. A prefix's requests have its adapters.
   * @default none
   */
  adapters?: readonly Adapter[];
}

const maxAdapters = 8;

/** By path, without those that are off: equal sets are equal lists. undefined = nothing was said. */
export function resolveAdapters(adapters: unknown): NativeAdapter[] | undefined {
  if (adapters === undefined) return undefined;
  const resolved = checkArray('adapters', adapters, 0, maxAdapters, 'adapters').map(resolveAdapter);
  const paths = new Set(resolved.map(({ path }) => path));
  if (paths.size < resolved.length)
    throw new OptionError('ERR_OPTION_VALUE', 'adapters must name each file once', 'adapters', adapters);
  return resolved.filter(({ scale }) => scale !== 0).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function resolveAdapter(adapter: unknown, index: number): NativeAdapter {
  const name = `adapters[${index}]`;
  const fields = checkFields(name, adapter);
  checkNames(name, fields, ['path', 'scale']);
  const isFloat = (value: number) => Number.isFinite(Math.fround(value));
  return {
    path: resolveAdapterPath(`${name}.path`, fields['path']),
    scale: Math.fround(
      checkNumber(`${name}.scale`, withDefault(fields['scale'] as number | undefined, 1), 'a finite float32', isFloat),
    ),
  };
}

/** Absolute. */
export function resolveAdapterPath(name: string, value: unknown): string {
  return path.resolve(checkFilledText(name, value));
}
