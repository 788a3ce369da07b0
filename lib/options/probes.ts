import { OptionError } from '../errors.js';
import type { NativeModelInfo, NativeProbe } from '../native.js';
import { checkEntries, checkFields, checkInteger, checkNames, checkNumber, invalid, withDefault } from './checks.js';

/**
 * A linear function of a hidden state: Σ weights · state + bias. Trained outside, on the states that `layer` numbers
 * (Alain & Bengio, arXiv 1610.01644).
 */
export interface Probe {
  /** The state that enters this layer: what transformers calls `hidden_states[layer]`. One of `hiddenLayers` at loading. */
  layer: number;
  /** As many as `info.embeddingSize`. */
  weights: readonly number[] | Float32Array | Float64Array;
  /** @default 0 */
  bias?: number;
}

/** By name: the values come under it. 1 to 64. */
export type Probes = Readonly<Record<string, Probe>>;

const maxProbes = 64;

export function resolveProbes(probes: unknown): NativeProbe[] {
  return checkEntries('probes', probes, 1, maxProbes, 'probes').map(([name, probe]) => {
    const path = `probes.${name}`;
    const fields = checkFields(path, probe);
    checkNames(path, fields, ['layer', 'weights', 'bias']);
    return {
      name,
      layer: checkInteger(`${path}.layer`, fields['layer'], 0),
      weights: resolveWeights(`${path}.weights`, fields['weights']),
      bias: checkNumber(`${path}.bias`, withDefault(fields['bias'], 0), 'a finite number', () => true),
    };
  });
}

function resolveWeights(path: string, weights: unknown): Float32Array {
  if (!Array.isArray(weights) && !(weights instanceof Float32Array) && !(weights instanceof Float64Array))
    throw invalid(path, weights, 'an array of numbers');
  for (let index = 0; index < weights.length; index++)
    checkNumber(`${path}[${index}]`, weights[index], 'a finite number', () => true);
  return Float32Array.from(weights as ArrayLike<number>);
}

/** What only the loaded model can say. */
export function checkProbes(probes: readonly NativeProbe[], { embeddingSize, hiddenLayers }: NativeModelInfo): void {
  for (const { name, layer, weights } of probes) {
    if (!hiddenLayers.includes(layer))
      throw new OptionError(
        'ERR_OPTION_VALUE',
        `probes.${name}.layer is ${layer}, and the model was loaded with hiddenLayers [${hiddenLayers.join(', ')}]: ` +
          'name there every layer that a probe reads',
        `probes.${name}.layer`,
        layer,
      );
    if (weights.length !== embeddingSize)
      throw invalid(`probes.${name}.weights`, weights.length, `${embeddingSize} numbers, one per value of a state`);
  }
}
